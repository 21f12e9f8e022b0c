"""What another version of grouping would change, before it is switched on. Pure functions.

Here: the same occurrences under two versions, as a list of what splits, joins or only gets a new key.
Not here: reading the occurrences.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from ingestion.meaning.errors.error_records import Occurrence
from ingestion.meaning.errors.grouping import Site, group
from ingestion.meaning.errors.hand_rules import HandRules


@dataclass(frozen=True)
class Change:
    """One connected set of groups: `kind` is same, split, joined or mixed."""

    kind: str
    title: str
    old_keys: tuple[str, ...]
    new_keys: tuple[str, ...]
    occurrences: int
    rules_by_hand: tuple[str, ...]


def changes(
    occurrences: Iterable[Occurrence], site: Site, rules: HandRules, *, old: str, new: str
) -> list[Change]:
    """Every group under both versions, the largest first; rules by hand on old keys are named.

    A rule by hand holds for the keys of its version: it must be made again after a switch.
    """
    pairs: Counter[tuple[str, str]] = Counter()
    titles: dict[str, str] = {}
    for occurrence in occurrences:
        before = group(occurrence, site, old)
        after = group(occurrence, site, new)
        pairs[before.key, after.key] += 1
        titles.setdefault(before.key, before.title)
    known = {*rules.merges, *rules.splits}
    found = [_change(part, pairs, titles, known) for part in _connected(pairs)]
    return sorted(found, key=lambda c: (-c.occurrences, c.old_keys))


def _change(
    olds: set[str], pairs: Counter[tuple[str, str]], titles: dict[str, str], known: set[str]
) -> Change:
    mine = {pair: count for pair, count in pairs.items() if pair[0] in olds}
    news = {after for _, after in mine}
    is_split, is_joined = len(news) > 1, len(olds) > 1
    kind = {(True, True): "mixed", (True, False): "split", (False, True): "joined"}.get(
        (is_split, is_joined), "same"
    )
    first = sorted(olds)[0]
    return Change(
        kind,
        titles[first],
        tuple(sorted(olds)),
        tuple(sorted(news)),
        sum(mine.values()),
        tuple(sorted(olds & known)),
    )


def _connected(pairs: Iterable[tuple[str, str]]) -> list[set[str]]:
    """Old keys that share a new key, directly or through others."""
    by_new: dict[str, set[str]] = defaultdict(set)
    for before, after in pairs:
        by_new[after].add(before)
    parts: list[set[str]] = []
    for olds in by_new.values():
        touching = [part for part in parts if part & olds]
        parts = [part for part in parts if not part & olds]
        parts.append(set().union(olds, *touching))
    return parts
