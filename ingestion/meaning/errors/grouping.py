"""Which group an error belongs to: deterministic, versioned, explained.

Here: the tiers, in order: explicit fingerprint → site rule → exception chain with in-app frames → type
with parameterised message → log template. A key is `<version>:` and 32 hex digits of BLAKE2b-128 over
canonical JSON; it never holds a line number, a message value or a component. Not here: merges and splits
by hand (`hand_rules`). Source: Sentry's grouping (fingerprint, stack, exception, message); RFC 7693
(BLAKE2b).
"""

import fnmatch
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ingestion.meaning.errors.chains import Chain, chain_of, place_of, plain_type
from ingestion.meaning.errors.error_records import Grouped, Occurrence
from ingestion.meaning.errors.frames import (
    SiteFrames,
)
from ingestion.meaning.errors.messages import parameterise
from privacy.disk.watched import Watched
from privacy.process_log.log import logger

_log = logger()
MAX_FRAMES = 12
CURRENT = "g1"
_CONDITIONS = ("type", "message", "component", "logger", "frame", "environment", "route")
_FIELDS = {"type", "message", "component", "logger", "environment", "route"}


class RulesProblem(Exception):
    """The site's rule file is wrong; the message names the entry, the cause and the fix."""


@dataclass(frozen=True)
class Version:
    """One way to make keys; old versions stay so that old keys can be made again."""

    name: str
    max_frames: int
    is_message_in_key: bool


VERSIONS = {
    "g1": Version("g1", MAX_FRAMES, is_message_in_key=False),
    # Answers "different messages, same stack in one group"; splits more where messages vary in words.
    "g2": Version("g2", MAX_FRAMES, is_message_in_key=True),
}


@dataclass(frozen=True)
class SiteRule:
    """Everything that matches all conditions (glob patterns) is one group."""

    name: str
    conditions: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Site:
    """What a site says about its errors: `<home>/errors.yaml`."""

    frames: SiteFrames = field(default_factory=SiteFrames)
    rules: tuple[SiteRule, ...] = ()


def load_site(path: Path) -> Site:
    """Read the rule file; no file means no rules. Raises RulesProblem with every mistake at once."""
    if not path.exists():
        return Site()
    try:
        values = yaml.safe_load(path.read_text()) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise RulesProblem(f"{path} is not YAML{line}: correct it.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RulesProblem(f"{path} cannot be read ({type(error).__name__}).") from None
    if not isinstance(values, dict):
        raise RulesProblem(f"{path} must hold in_app, not_in_app and rules.")
    known = ("in_app", "not_in_app", "rules")
    problems = [f"unknown entry {name}" for name in values if name not in known]
    for name in known:
        entries = values.get(name) or []
        is_list = isinstance(entries, list)
        if not is_list or (name != "rules" and not all(isinstance(e, str) for e in entries)):
            problems.append(f"{name} must be a list" + " of texts" * (name != "rules"))
            values[name] = []
    rules = [
        _rule(number, entry, problems) for number, entry in enumerate(values.get("rules") or [], 1)
    ]
    if problems:
        raise RulesProblem(f"{path} is wrong: {'; '.join(sorted(problems))}.")
    frames = SiteFrames(tuple(values.get("in_app") or ()), tuple(values.get("not_in_app") or ()))
    return Site(frames, tuple(rule for rule in rules if rule is not None))


class WatchedSite:
    """The site's rules, read again when their file changes; a wrong file leaves those before it.

    `problem` is why the newest file was not taken, empty when it was. One that is wrong from the
    start leaves no rules of the site: errors are grouped without them until it is corrected.
    """

    def __init__(self, path: Path, *, look_every_s: float = 2.0) -> None:
        self._watched = Watched(
            lambda: [path],
            lambda: load_site(path),
            RulesProblem,
            otherwise=Site,
            on_refusal=lambda _: _log.error("errors.yaml is not taken", cause="RulesProblem"),
            look_every_s=look_every_s,
        )

    def __call__(self) -> Site:
        """The rules now; never raises."""
        self._watched.look()
        return self._watched.value

    @property
    def problem(self) -> str:
        """Why the file as it is now was not taken."""
        self._watched.look()
        return str(self._watched.problem or "")


def _rule(number: int, entry: Any, problems: list[str]) -> SiteRule | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("group"), str):
        problems.append(f"rule {number} needs group and when")
        return None
    when = entry.get("when")
    if not isinstance(when, dict) or not when or set(when) - set(_CONDITIONS):
        problems.append(f"rule {number}: when takes {', '.join(_CONDITIONS)}")
        return None
    return SiteRule(entry["group"], tuple(sorted((k, str(v)) for k, v in when.items())))


def group(occurrence: Occurrence, site: Site = Site(), version: str = CURRENT) -> Grouped:
    """The group of an occurrence; depends on nothing but the arguments."""
    chosen = VERSIONS[version]
    chain = chain_of(occurrence.stack, plain_type(occurrence.type), site.frames, chosen.max_frames)
    outer = chain.links[-1][0] if chain and chain.links else plain_type(occurrence.type)
    culprit = place_of(chain.culprit) if chain and chain.culprit else ""
    message = parameterise(occurrence.message)

    def made(rule: str, parts: Sequence[Any], counted: Sequence[str], title: str) -> Grouped:
        ignored = chain.ignored if chain else ()
        return Grouped(
            _key(chosen.name, rule, parts), rule, title, outer, culprit, tuple(counted), ignored
        )

    title = (
        f"{_short(outer)}: {message}" if message and outer else outer or message or "unnamed error"
    )
    if occurrence.fingerprint:
        parts = [_default(p, outer, message) for p in occurrence.fingerprint]
        return made("explicit fingerprint", parts, parts, title)
    rule = _matching(site.rules, occurrence, outer, chain)
    if rule is not None:
        return made("site rule", [rule.name], [f"rule {rule.name}"], rule.name)
    if chain and chain.culprit is not None:
        parts = [[t, [[f.module, f.function] for f in frames]] for t, frames in chain.links]
        counted = [
            f"{t or 'no type'}: {' > '.join(map(place_of, f)) or 'type only'}"
            for t, f in chain.links
        ]
        if chosen.is_message_in_key:
            parts, counted = [*parts, message], [*counted, f"message {message}"]
        return made("exception chain with in-app frames", parts, counted, title)
    if outer:
        return made("type with parameterised message", [outer, message], [outer, message], title)
    parts = [occurrence.logger or "", message]
    return made("log template", parts, [p for p in parts if p], title)


def _default(part: str, outer: str, message: str) -> str:
    return f"{outer} {message}" if re.fullmatch(r"\{\{\s*default\s*\}\}", part) else part


def _key(version: str, rule: str, parts: Sequence[Any]) -> str:
    text = json.dumps([rule, parts], ensure_ascii=False, separators=(",", ":"))
    return f"{version}:{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}"


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _matching(
    rules: Sequence[SiteRule], occurrence: Occurrence, outer: str, chain: Chain | None
) -> SiteRule | None:
    values: Mapping[str, str] = {
        **{name: getattr(occurrence, name) or "" for name in _FIELDS},
        "type": outer,
    }
    places = [place_of(f) for _, frames in (chain.links if chain else ()) for f in frames]
    for rule in rules:
        if all(
            any(fnmatch.fnmatchcase(place, pattern) for place in places)
            if name == "frame"
            else fnmatch.fnmatchcase(values[name], pattern)
            for name, pattern in rule.conditions
        ):
            return rule
    return None
