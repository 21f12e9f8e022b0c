"""alerting.yaml while a process runs: what is made of it is made anew when it changes.

Here: looking at the file, and going on with the newest that was right. Not here: what the file says
(`policy`) and what is made of it (`policy`, `ways`).
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from privacy.process_log.log import logger

FILE = "alerting.yaml"
_RELOAD_S = 2.0
_T = TypeVar("_T")
_log = logger()


class PolicyProblem(Exception):
    """alerting.yaml is wrong; the message names every mistake and the fix."""


class Watched(Generic[_T]):
    """What `load` makes of the file now; it is looked at every two seconds.

    `load` raises PolicyProblem, which stays in `problem` while what was before it stays in force:
    `shipped`, when nothing was.
    """

    def __init__(self, home: Path, load: Callable[[], _T], shipped: Callable[[], _T]) -> None:
        self._home, self._load_it = home, load
        self._lock = threading.Lock()
        self.problem = ""
        self._stamp = self._stamp_now()
        loaded = self._load()
        self._made = shipped() if loaded is None else loaded
        self._looked_s = time.monotonic()

    def __call__(self) -> _T:
        """What is in force now."""
        with self._lock:
            if time.monotonic() - self._looked_s > _RELOAD_S:
                self._looked_s = time.monotonic()
                self._look()
            return self._made

    def _look(self) -> None:
        stamp = self._stamp_now()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        loaded = self._load()
        # What is worked out for a policy holds as long as it is the same object.
        if loaded is not None and loaded != self._made:
            self._made = loaded

    def _stamp_now(self) -> tuple[int, int, int] | None:
        try:
            stat = (self._home / FILE).stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_mtime_ns, stat.st_size

    def _load(self) -> _T | None:
        try:
            loaded = self._load_it()
        except PolicyProblem as problem:
            if str(problem) != self.problem:
                _log.error("alerting.yaml is not taken", cause="PolicyProblem")
            self.problem = str(problem)
            return None
        self.problem = ""
        return loaded
