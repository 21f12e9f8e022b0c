"""The time axis in the zone that somebody chose; Vega itself knows UTC and the browser's zone alone.

Here: moments as they are drawn, and back; how a label reads. Not here: buckets, ranges in addresses.
Times are drawn as the zone's clock shows them at the end of the range, so that ticks fall on its round
hours; where clocks change inside the range, labels before the change say what clocks showed then.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

_LOOK_EVERY = timedelta(hours=1)
_DAYS_2, _DAYS_10 = timedelta(days=2), timedelta(days=10)


@dataclass(frozen=True)
class Clock:
    """How a range is drawn: its ends (UTC, aware) and the IANA zone of its labels."""

    start_at: datetime
    end_at: datetime
    zone: str = "UTC"

    @property
    def offset(self) -> timedelta:
        """What the zone's clock is ahead of UTC at the end of the range."""
        return self._offset_at(self.end_at)

    def drawn(self, times: pd.Series) -> pd.Series:
        """Aware times as drawn: UTC without zone, moved by the offset."""
        return times.dt.tz_convert("UTC").dt.tz_localize(None) + pd.Timedelta(self.offset)

    def moment(self, drawn_ms: float) -> datetime:
        """UTC of a place on the axis, in milliseconds as Vega gives it."""
        return datetime.fromtimestamp(drawn_ms / 1_000, UTC) - self.offset

    @property
    def label(self) -> str:
        """Vega expression for the text of a tick."""
        value = "datum.value"
        for at, behind in self._changes():
            value = f"(datum.value < {at} ? datum.value + {behind} : {value})"
        length = self.end_at - self.start_at
        if length > _DAYS_10:
            return f"utcFormat({value}, '%d %b')"
        if length > _DAYS_2:
            is_midnight = f"utchours({value}) == 0 && utcminutes({value}) == 0"
            return f"{is_midnight} ? utcFormat({value}, '%a %d') : utcFormat({value}, '%H:%M')"
        form = "%H:%M:%S" if length < timedelta(minutes=3) else "%H:%M"
        return f"utcFormat({value}, '{form}')"

    def words(self, times: pd.Series) -> pd.Series:
        """Aware times as tooltips say them: `12 Mar 14:05:00`."""
        return times.dt.tz_convert(self.zone).dt.strftime("%d %b %H:%M:%S")

    def _offset_at(self, moment: datetime) -> timedelta:
        return moment.astimezone(ZoneInfo(self.zone)).utcoffset() or timedelta(0)

    def _changes(self) -> list[tuple[int, int]]:
        """Where labels change, latest first: drawn milliseconds, and what to add before it."""
        found: list[tuple[int, int]] = []
        at, later = self.end_at, self.offset
        while at > self.start_at:
            earlier_at = max(at - _LOOK_EVERY, self.start_at)
            earlier = self._offset_at(earlier_at)
            if earlier != later:
                drawn = at.replace(minute=0, second=0, microsecond=0) + self.offset
                found.append((_ms(drawn), _ms_of(earlier - self.offset)))
                later = earlier
            at = earlier_at
        return found


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000)


def _ms_of(length: timedelta) -> int:
    return int(length.total_seconds() * 1_000)
