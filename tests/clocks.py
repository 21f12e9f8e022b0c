"""Clocks that a test moves."""

from datetime import UTC, datetime


class WallClock:
    """The time of day; starts at the real one unless another is given."""

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now or datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


class Seconds:
    """A monotonic clock that starts at 0."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s
