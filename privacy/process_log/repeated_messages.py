"""A message that comes again is counted instead of written: the first stands, then how often.

Here: which repeats are swallowed and when their number is told. Not here: what a message says
(`words`) and where it is written (`log`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

_T = TypeVar("_T")
WINDOW_S = 600.0
_MAX_MESSAGES = 500


@dataclass
class _Seen(Generic[_T]):
    message: _T
    since_s: float
    repeats: int = 0


class Repeats(Generic[_T]):
    """The messages of one output; `tell` writes one with its number of repeats."""

    def __init__(
        self, tell: Callable[[_T, str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell, self._clock = tell, clock
        self._seen: dict[str, _Seen[_T]] = {}
        self._lock = Lock()

    def is_new(self, key: str, message: _T) -> bool:
        """Whether to write it: not, when the same was written within the window."""
        now_s = self._clock()
        with self._lock:
            over = self._take_over(now_s)
            known = self._seen.get(key)
            if known is None:
                self._seen[key] = _Seen(message, now_s)
            else:
                known.repeats += 1
        self._tell_all(over)
        return known is None

    def flush(self) -> None:
        """Tell every number that is still open."""
        with self._lock:
            over, self._seen = list(self._seen.values()), {}
        self._tell_all(over)

    def _take_over(self, now_s: float) -> list[_Seen[_T]]:
        """What is told now: windows that ended, and the oldest when there are too many messages."""
        crowd = len(self._seen) - _MAX_MESSAGES + 1
        over: list[_Seen[_T]] = []
        # In the order of their windows' begin.
        for key, seen in list(self._seen.items()):
            if len(over) >= crowd and now_s - seen.since_s < WINDOW_S:
                break
            over.append(self._seen.pop(key))
        return over

    def _tell_all(self, over: list[_Seen[_T]]) -> None:
        minutes = round(WINDOW_S / 60)
        for seen in over:
            if seen.repeats:
                again = "once" if seen.repeats == 1 else f"{seen.repeats} times"
                self._tell(seen.message, f"(repeated {again} within {minutes} min)")
