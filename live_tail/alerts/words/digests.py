"""Digests of error groups: which alert lists which groups, and the words for them.

Here: groups by labels, what a summary may say of them. Pure. Not here: which groups are new
(`live_tail/window/error_groups`), when a digest is told again (`life`).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC

from live_tail.alerts.words.life_records import Listed
from live_tail.alerts.words.rule_records import GroupChange, Labels, labels_of

_LONGEST = 90


def digests(changes: Sequence[GroupChange], by: Sequence[str]) -> dict[Labels, tuple[Listed, ...]]:
    """The groups of each set of labels, the most frequent first."""
    found: dict[Labels, list[Listed]] = {}
    for change in changes:
        known = {**change.labels, "state": change.state}
        labels = labels_of({name: known[name] for name in by if known.get(name)})
        one = Listed(
            known["group"], shortened(change.error), change.place, change.state, change.count,
            change.since.replace(tzinfo=UTC),
        )  # fmt: skip
        found.setdefault(labels, []).append(one)
    return {
        labels: tuple(sorted(some, key=lambda one: (-one.count, one.key)))
        for labels, some in found.items()
    }


def words(groups: Sequence[Listed]) -> Mapping[str, str]:
    """What a rule's texts may name: `error` with its place, and how many `more` there are."""
    if not groups:
        return {}
    first, others = groups[0], len(groups) - 1
    place = f" in {first.place}" if first.place else ""
    return {"error": f"{first.error}{place}", "more": f" and {others} more" if others else ""}


def shortened(text: str) -> str:
    """A title that fits a line, cut at a word."""
    if len(text) <= _LONGEST:
        return text
    return text[: _LONGEST - 1].rsplit(" ", 1)[0] + "…"
