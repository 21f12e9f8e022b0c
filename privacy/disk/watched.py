"""Files that people change while a process runs: taken over when they are valid, otherwise left.

Here: noticing a change, keeping the newest valid value, saying why a newer one was refused. Not here:
what a file means (whoever parses it). A file is looked at when its value is used, by `stat`: that costs
a microsecond and no thread, and nothing wakes up while nobody asks (decision 15).
"""

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")
_Stamp = tuple[tuple[str, int, int, int] | None, ...]


class Watched(Generic[T]):
    """The newest valid `value` of some files as of the last `look`; safe across threads.

    `problem` is why the files as they were then were refused, None when they were taken over.

    `files` lists them anew at each look; one that comes or goes is a change. `parse` reads all of them;
    what it raises of `refusals` refuses the change. Without `otherwise`, the first refusal is raised; with
    it, it gives the value until the files are valid. `on_refusal` is called for each new reason.
    """

    def __init__(
        self,
        files: Callable[[], Iterable[Path]],
        parse: Callable[[], T],
        refusals: type[Exception],
        *,
        otherwise: Callable[[], T] | None = None,
        on_refusal: Callable[[Exception], None] = lambda _: None,
        look_every_s: float = 0.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._files, self._parse, self._refusals = files, parse, refusals
        self._on_refusal = on_refusal
        self._look_every_s, self._monotonic = look_every_s, monotonic
        self._lock = threading.Lock()
        self.problem: Exception | None = None
        # Before the content: what is written in between is a change.
        self._stamp, self._looked_s = self._stamp_now(), monotonic()
        try:
            self.value = parse()
        except refusals as problem:
            if otherwise is None:
                raise
            self._refuse(problem)
            self.value: T = otherwise()

    def look(self) -> bool:
        """Look at the files, unless that was just done; True when a change of them was taken over."""
        with self._lock:
            now_s = self._monotonic()
            if now_s - self._looked_s < self._look_every_s:
                return False
            self._looked_s = now_s
            stamp = self._stamp_now()
            if stamp == self._stamp:
                return False
            self._stamp = stamp
            return self._take()

    def _take(self) -> bool:
        try:
            found = self._parse()
        except self._refusals as problem:
            self._refuse(problem)
            return False
        self.problem = None
        # What was worked out for a value holds as long as it is the same object.
        if found != self.value:
            self.value = found
        return True

    def _refuse(self, problem: Exception) -> None:
        if str(problem) != str(self.problem or ""):
            self._on_refusal(problem)
        self.problem = problem

    def _stamp_now(self) -> _Stamp:
        return tuple(map(_stamp_of, self._files()))


def _stamp_of(path: Path) -> tuple[str, int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    # A file that was replaced within one tick of the clock by one of its size has another inode.
    return str(path), found.st_mtime_ns, found.st_size, found.st_ino
