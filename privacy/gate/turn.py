"""A turn: how long the gate may work on texts that it has not seen before it must let others go first.

Here: the clock that is looked at before each new text. Not here: what happens to work that is cut short
(`ingestion/receivers/committing/committer`). What is remembered costs nothing worth a look.
"""

import time
from collections.abc import Callable


class TurnOver(Exception):
    """The work takes longer than its turn; nothing of it was kept but memories of texts."""


class Turn:
    """Seconds of this thread's processor time until `check` raises; without a limit it never does."""

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self._until_s: float | None = None

    def begin(self, seconds: float | None) -> None:
        """Start a turn; None is one without end."""
        self._until_s = None if seconds is None else self._clock() + seconds

    def check(self) -> None:
        """Raise TurnOver when the turn is over."""
        if self._until_s is not None and self._clock() > self._until_s:
            raise TurnOver

    def limit(self, size: int, most: int) -> None:
        """Raise TurnOver when there is so much of something that a turn cannot hold it."""
        if self._until_s is not None and size > most:
            raise TurnOver
