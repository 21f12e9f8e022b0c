"""The processes of the settings' patterns, measured once for all instruments of a collection.

Here: choosing by command line, and remembering the choice: reading every command line of a machine
every five seconds would cost more than all the rest. Never a command line or a user name goes out: a
process is named by its executable and pid.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

_SAME_COLLECTION_S = 1.0
# A process may become another program, and a pid another process.
_CHOOSE_AGAIN_S = 60.0
_Labels = dict[str, str | int]


@dataclass(frozen=True)
class Measured:
    """One process now."""

    labels: _Labels
    user_s: float
    system_s: float
    rss: int
    threads: int


class ChosenProcesses:
    """Measures the processes whose command line holds one of the patterns."""

    def __init__(self, patterns: list[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._patterns, self._clock = patterns, clock
        self._known: dict[int, tuple[psutil.Process, _Labels] | None] = {}
        self._chosen_s = self._measured_s = float("-inf")
        self._measured: list[Measured] = []

    def __call__(self) -> list[Measured]:
        """All of them; asked again within a second, the same answer."""
        now_s = self._clock()
        if now_s - self._measured_s >= _SAME_COLLECTION_S:
            self._choose(now_s)
            found = [_measure(*one) for one in self._known.values() if one is not None]
            self._measured = [one for one in found if one is not None]
            self._measured_s = now_s
        return self._measured

    def _choose(self, now_s: float) -> None:
        """Look at the command lines of new processes, and now and then at all."""
        if now_s - self._chosen_s >= _CHOOSE_AGAIN_S:
            self._known, self._chosen_s = {}, now_s
        before = self._known
        self._known = {
            pid: before[pid] if pid in before else self._look_at(pid) for pid in psutil.pids()
        }

    def _look_at(self, pid: int) -> tuple[psutil.Process, _Labels] | None:
        try:
            process = psutil.Process(pid)
            command = " ".join(process.cmdline())
            if not any(pattern in command for pattern in self._patterns):
                return None
            name = Path(process.exe() or "unknown").name
        except psutil.Error:
            return None
        return process, {"process.executable.name": name, "process.pid": pid}


def _measure(process: psutil.Process, labels: _Labels) -> Measured | None:
    """None when the process ended meanwhile."""
    try:
        times, memory = process.cpu_times(), process.memory_info()
        return Measured(labels, times.user, times.system, memory.rss, process.num_threads())
    except psutil.Error:
        return None
