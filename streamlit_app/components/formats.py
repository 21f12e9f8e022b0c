"""Numbers and times as people read them: units, "—" for what nobody measured."""

import math
from datetime import UTC, datetime

NOT_MEASURED = "—"


def is_measured(value: float | None) -> bool:
    """Whether somebody measured it."""
    return value is not None and not math.isnan(value)


def number(value: float | None, unit: str = "", digits: int | None = None) -> str:
    """`1,920`, `0.42`, `3.1 k`; "—" when not measured."""
    if value is None or math.isnan(value):
        return NOT_MEASURED
    if digits is None:
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    text = f"{value:,.{digits}f}"
    if "." in text and digits == 2:
        text = text.rstrip("0").rstrip(".")
    return f"{text} {unit}".strip()


def whole(value: float) -> str:
    """A count in a table: `1,920`."""
    return f"{value:,.0f}"


def plain_ms(value: float, digits: int = 1) -> str:
    """Milliseconds in a table whose head names the unit: whole from 10 on, with `digits` below."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.{digits}f}"


def percent(value: float | None) -> str:
    """One decimal under 10, none above."""
    if value is None or math.isnan(value):
        return NOT_MEASURED
    return f"{value:.1f} %" if value < 10 else f"{value:.0f} %"


def duration_ms(value: float | None) -> str:
    """`48 ms`, `1.2 s`, `3 min`."""
    if value is None or math.isnan(value):
        return NOT_MEASURED
    if value < 10:
        return f"{value:.1f} ms"
    if value < 1_000:
        return f"{value:.0f} ms"
    return age(value / 1_000) if value >= 60_000 else f"{value / 1_000:.1f} s"


def age(seconds: float | None) -> str:
    """`0.8 s`, `48 s`, `3 min`, `2 h 05`, `4 d`; "—" when not measured."""
    if seconds is None or math.isnan(seconds):
        return NOT_MEASURED
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02d}" if hours < 48 else f"{hours // 24} d"


def clock(local: datetime, beside: datetime) -> str:
    """`14:02`, with its day unless it is the one of `beside`; both as the same clocks show them."""
    is_same_day = local.date() == beside.date()
    return f"{local:%H:%M}" if is_same_day else f"{local.day} {local:%b %H:%M}"


def of_iso(text: str) -> datetime:
    """A time as the live API tells it."""
    return datetime.fromisoformat(text)


def of_microseconds(since_1970: int) -> datetime:
    """UTC of a time in microseconds."""
    return datetime.fromtimestamp(since_1970 / 1e6, UTC)


def seconds_since(text: str | datetime | None, now: datetime) -> float | None:
    """Age of an ISO time or datetime (UTC)."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text) if isinstance(text, str) else text
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((now - aware).total_seconds(), 0.0)


def change(now: float | None, before: float | None, *, as_points: bool = False) -> str | None:
    """Change against the period before: `+6 %`, or points for percentages; None when unknown."""
    if now is None or before is None or math.isnan(now) or math.isnan(before):
        return None
    if as_points:
        return f"{now - before:+.1f} pt"
    if before == 0:
        return None
    return f"{100 * (now - before) / before:+.0f} %"
