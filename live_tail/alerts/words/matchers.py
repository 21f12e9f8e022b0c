"""Label matchers in Alertmanager's words: `name="value"`, `!=`, `=~`, `!~`.

Here: parsing and matching. Not here: what a match means (`mute`, `dispatch`). Regular expressions
are anchored at both ends; a missing label is the empty string. A label's name may stand between quotes.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from live_tail.alerts.words.rule_records import Labels

_FORM = re.compile(
    r"""\s*(?:"((?:[^"\\]|\\.)+)"|([^\s"'`=!~,{}\\]+))\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|(.*?))\s*\Z"""
)


class BadMatcher(ValueError):
    """A matcher cannot be read; the message says how one looks."""


@lru_cache(maxsize=1_000)
def parse(text: str) -> tuple[str, str, re.Pattern[str]]:
    """(label, operator, anchored pattern); raises BadMatcher."""
    found = _FORM.match(text)
    if not found:
        raise BadMatcher(
            f'{text[:60]!r} is no matcher: write severity="critical" or component=~"api.*"'
        )
    quoted_name, plain_name, operator, quoted, plain = found.groups()
    name = plain_name or re.sub(r"\\(.)", r"\1", quoted_name)
    value = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    try:
        pattern = re.compile(value if "~" in operator else re.escape(value))
    except re.error as error:
        raise BadMatcher(f"{text[:60]!r} is no regular expression: {error}") from None
    return name, operator, pattern


def takes_everything(matchers: Iterable[str]) -> bool:
    """Whether every matcher holds for an alert without labels, and so for nearly every alert."""
    return matches(matchers, {})


def matches(matchers: Iterable[str], labels: Mapping[str, str]) -> bool:
    """Whether every matcher holds."""
    return all(_holds(text, labels) for text in matchers)


def _holds(text: str, labels: Mapping[str, str]) -> bool:
    name, operator, pattern = parse(text)
    return bool(pattern.fullmatch(labels.get(name, ""))) is not operator.startswith("!")


def matches_targets(targets: Labels, labels: Mapping[str, str]) -> bool:
    """Matchers as rules write them: `value`, `~regex` or `!value` by label."""
    return all(_target_holds(value, labels.get(name, "")) for name, value in targets)


def _target_holds(wanted: str, value: str) -> bool:
    if wanted.startswith("~"):
        return bool(re.fullmatch(wanted[1:], value))
    return value != wanted[1:] if wanted.startswith("!") else value == wanted
