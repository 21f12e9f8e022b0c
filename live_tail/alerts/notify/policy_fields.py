"""The fields of a policy that have a form of their own: durations, matchers, zones, times of day.

Here: reading one value, with a sentence for what is wrong. Not here: the policy (`policy`).
"""

import re
from datetime import timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator

from live_tail.alerts.words.matchers import parse
from live_tail.alerts.words.rule_records import of_seconds

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+\Z")


def duration(value: Any) -> timedelta:
    """`1h30m`, `45s`, `2d`; raises ValueError."""
    if isinstance(value, timedelta):
        return value
    text = str(value)
    if text == "0":
        return timedelta(0)
    if not _DURATION.match(text):
        raise ValueError(f"{text[:20]!r} is no duration: write 30s, 5m, 1h30m or 2d")
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)", text)
    return of_seconds(sum(float(n) * _UNITS[u] for n, u in parts))


def _matcher(text: str) -> str:
    parse(text)
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"{name[:40]!r} is no time zone: write one such as Europe/Berlin"
        ) from None
    return name


def _clock(text: str) -> str:
    if not re.fullmatch(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", text):
        raise ValueError(f"{text[:20]!r} is no time of day: write it in quotes, such as '09:00'")
    return text


Duration = Annotated[timedelta, BeforeValidator(duration)]
Matcher = Annotated[str, AfterValidator(_matcher)]
Zone = Annotated[str, AfterValidator(_zone)]
ClockTime = Annotated[str, AfterValidator(_clock)]
