"""What a page shows: the range, the filters and the comparison, as they stand in the address.

Here: from URL parameters to a `View` and back, links, buckets, moments in a time zone. Not here: how a
person picks them (`components/header`), what is read for them (`streamlit_app/readings`). Pure: no
Streamlit, no clock.
A link that somebody sends opens the same view, so whatever a page depends on is a parameter.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

RANGES: Mapping[str, timedelta] = {
    "5 min": timedelta(minutes=5),
    "15 min": timedelta(minutes=15),
    "30 min": timedelta(minutes=30),
    "1 h": timedelta(hours=1),
    "3 h": timedelta(hours=3),
    "6 h": timedelta(hours=6),
    "12 h": timedelta(hours=12),
    "24 h": timedelta(hours=24),
    "2 d": timedelta(days=2),
    "7 d": timedelta(days=7),
    "30 d": timedelta(days=30),
}
FILTERS = ("component", "environment", "version", "model", "route", "severity")
DETAILS = ("trace", "span", "group", "alert", "at", "statement", "back")
PREVIOUS, RELEASE = "previous", "release:"
LONGEST = timedelta(days=400)
_LONGEST_TEXT = 300
_FEWEST_BUCKETS = 60
# Each at most 2.5 times the one before: from 60 to 150 buckets, whatever the range.
_STEPS_S = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
    172_800, 432_000,
)  # fmt: skip


@dataclass(frozen=True)
class View:
    """Everything a page shows depends on; all of it is in the URL.

    `start_at` and `end_at` are UTC, aware and whole seconds. `label` is a key of `RANGES` when the
    range ends now, else None. `zone` is an IANA name and changes display only. `compare` is None,
    "previous" or "release:VERSION". `problems` are sentences about parameters that were not understood.
    """

    start_at: datetime
    end_at: datetime
    label: str | None = "1 h"
    zone: str = "UTC"
    compare: str | None = None
    component: str | None = None
    environment: str | None = None
    version: str | None = None
    model: str | None = None
    route: str | None = None
    severity: str | None = None
    search: str = ""
    problems: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def of(cls, params: Mapping[str, str], now: datetime, default: str = "1 h") -> "View":
        """The view of an address; what is not understood falls back and is named in `problems`."""
        problems: list[str] = []
        start_at, end_at, label = _range(params, now, default, problems)
        filters = {name: _text(params, name, problems) for name in FILTERS}
        zone, compare = _zone(params, problems), _compare(params, problems)
        words = _text(params, "q", problems) or ""
        return cls(
            start_at,
            end_at,
            label,
            zone=zone,
            compare=compare,
            search=words,
            problems=tuple(problems),
            **filters,
        )

    @property
    def ends_now(self) -> bool:
        """Whether the range moves with the clock."""
        return self.label is not None

    @property
    def length(self) -> timedelta:
        """From start to end."""
        return self.end_at - self.start_at

    @property
    def minutes(self) -> int:
        """Length in minutes, rounded up."""
        return -(-int(self.length.total_seconds()) // 60)

    @property
    def filters(self) -> dict[str, str]:
        """The filters that are set, by name; free words are `q`."""
        found = {name: getattr(self, name) for name in FILTERS if getattr(self, name)}
        return found | ({"q": self.search} if self.search else {})

    def params(self) -> dict[str, str]:
        """URL parameters from which `of` makes this view again."""
        if self.label is not None:
            found = {"range": self.label}
        else:
            found = {"from": iso(self.start_at), "to": iso(self.end_at)}
        if self.zone != "UTC":
            found["tz"] = self.zone
        if self.compare:
            found["compare"] = self.compare
        return found | self.filters

    def carried(self) -> dict[str, str]:
        """What a link to another page takes along: when and where, not which route or word."""
        kept = {"range", "from", "to", "tz", "compare", "component", "environment", "version"}
        return {name: value for name, value in self.params().items() if name in kept}

    def but(self, **changes: Any) -> "View":
        """The view with other values; a new label keeps the end, a new start or end has no label.

        Raises ValueError for a range that is empty or backwards.
        """
        if changes.get("label"):
            changes.setdefault("end_at", self.end_at)
            changes["start_at"] = changes["end_at"] - RANGES[changes["label"]]
        elif changes.keys() & {"start_at", "end_at"}:
            changes["label"] = None
        changed = replace(self, **changes)
        if changed.start_at >= changed.end_at:
            raise ValueError("the range is empty: its start must lie before its end.")
        return changed

    def moved(self, now: datetime) -> "View":
        """The view at another moment; the same when its range does not end now."""
        if self.label is None:
            return self
        end_at = now.astimezone(UTC).replace(microsecond=0)
        return replace(self, start_at=end_at - self.length, end_at=end_at)

    def previous(self) -> tuple[datetime, datetime]:
        """Start and end of the period of equal length just before."""
        return self.start_at - self.length, self.start_at

    def step_s(self, least: int = 1) -> int:
        """Seconds of a time bucket: 60 to 150 in the range, where it is long enough for `least`."""
        wanted = self.length.total_seconds() / _FEWEST_BUCKETS
        return max([s for s in _STEPS_S if s <= wanted], default=1) if least <= wanted else least

    def link(self, page: str, **changes: Any) -> str:
        """The address of a page with this view; changes may name fields and details (`trace`, `at`)."""
        details = {k: changes.pop(k) for k in DETAILS if k in changes}
        if isinstance(details.get("at"), datetime):
            details["at"] = iso(details["at"])
        view = self.but(**changes) if changes else self
        params = view.params() | {k: str(v) for k, v in details.items() if v}
        return f"/{page}?{urlencode(params, quote_via=quote)}"

    def local(self, moment: datetime) -> datetime:
        """A moment as the clocks of the zone show it."""
        return moment.astimezone(ZoneInfo(self.zone))


def iso(moment: datetime) -> str:
    """`2026-03-01T12:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime | None:
    """UTC of an ISO time with zone, in whole seconds; None when it is none."""
    try:
        found = datetime.fromisoformat(text.strip().replace(" ", "+"))
        return found.astimezone(UTC).replace(microsecond=0) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def instant(local: datetime, zone: str, *, is_end: bool = False) -> datetime:
    """UTC of what a clock of the zone shows, without zone.

    In the hour that clocks show twice a start is the first and an end the second, so that the range
    holds both. A time that clocks skip is as far after the skip as it was written after its begin.
    """
    return local.replace(
        tzinfo=ZoneInfo(zone), fold=int(is_end and _is_twice(local, zone))
    ).astimezone(UTC)


def _is_twice(local: datetime, zone: str) -> bool:
    first, second = (local.replace(tzinfo=ZoneInfo(zone), fold=n).utcoffset() for n in (0, 1))
    return first is not None and second is not None and first > second


@lru_cache(500)
def is_zone(name: str) -> bool:
    """Whether it is an IANA time zone."""
    try:
        return bool(ZoneInfo(name).key)
    except (ValueError, KeyError, OSError):
        return False


def _range(
    params: Mapping[str, str], now: datetime, default: str, problems: list[str]
) -> tuple[datetime, datetime, str | None]:
    until = now.astimezone(UTC).replace(microsecond=0)
    if "from" in params or "to" in params:
        found = _absolute(params, until, problems)
        if found:
            return (*found, None)
    label = params.get("range", default)
    if label not in RANGES:
        problems.append(f"range is none of {', '.join(RANGES)}: {default} is shown.")
        label = default
    return until - RANGES[label], until, label


def _absolute(
    params: Mapping[str, str], until: datetime, problems: list[str]
) -> tuple[datetime, datetime] | None:
    start_at = _moment_of(params, "from", problems)
    end_at = _moment_of(params, "to", problems) if "to" in params else until
    if "from" not in params:
        problems.append("to stands without from: give both as 2026-03-01T12:00:00Z.")
    if start_at is None or end_at is None:
        return None
    if start_at >= end_at:
        problems.append("from is not before to: give an earlier start.")
        return None
    if end_at - start_at > LONGEST:
        problems.append(f"from lies more than {LONGEST.days} days before to: give a shorter range.")
        return None
    return start_at, end_at


def _moment_of(params: Mapping[str, str], name: str, problems: list[str]) -> datetime | None:
    if name not in params:
        return None
    found = moment(params[name])
    if found is None:
        problems.append(f"{name} is no time with zone: write it as 2026-03-01T12:00:00Z.")
    return found


def _zone(params: Mapping[str, str], problems: list[str]) -> str:
    name = params.get("tz", "UTC")
    if is_zone(name):
        return name
    problems.append("tz is no time zone: write it as Europe/Berlin. UTC is shown.")
    return "UTC"


def _compare(params: Mapping[str, str], problems: list[str]) -> str | None:
    given = _text(params, "compare", problems)
    if given is None or given == PREVIOUS or (given.startswith(RELEASE) and given != RELEASE):
        return given
    problems.append("compare is neither previous nor release:VERSION: nothing is compared.")
    return None


def _text(params: Mapping[str, str], name: str, problems: list[str]) -> str | None:
    text = params.get(name, "").strip()
    if len(text) > _LONGEST_TEXT or not text.isprintable():
        problems.append(
            f"{name} is longer than {_LONGEST_TEXT} characters or not text: it is left out."
        )
        return None
    return text or None
