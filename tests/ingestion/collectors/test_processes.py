"""Processes are chosen by command line once a minute and measured once a collection."""

import os
from collections import Counter

import psutil
import pytest

from ingestion.collectors.machine.host_processes import ChosenProcesses
from tests.clocks import Seconds


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter:
    """How often the command line and the memory of each process were read; there are two."""
    counted: Counter = Counter()
    pids = [os.getpid(), os.getppid()]
    monkeypatch.setattr(psutil, "pids", lambda: list(pids))

    def cmdline(self: psutil.Process) -> list[str]:
        counted["command", self.pid] += 1
        return ["python", "tta"] if self.pid == os.getpid() else ["other"]

    real = psutil.Process.memory_info

    def memory_info(self: psutil.Process) -> object:
        counted["memory", self.pid] += 1
        return real(self)

    monkeypatch.setattr(psutil.Process, "cmdline", cmdline)
    monkeypatch.setattr(psutil.Process, "memory_info", memory_info)
    return counted


def test_a_collection_measures_the_chosen_once_whatever_asks(reads: Counter) -> None:
    clock = Seconds()
    processes = ChosenProcesses(["tta"], clock)
    (mine,) = processes()
    assert mine.labels["process.pid"] == os.getpid() and mine.rss > 0 and mine.threads > 0
    assert processes() == [mine] and reads["memory", os.getpid()] == 1
    clock.now_s += 5
    processes()
    assert reads["memory", os.getpid()] == 2
    assert reads["memory", os.getppid()] == 0


def test_command_lines_are_read_once_a_minute(reads: Counter) -> None:
    clock = Seconds()
    processes = ChosenProcesses(["tta"], clock)
    for _ in range(12):
        processes()
        clock.now_s += 5
    assert {reads["command", pid] for pid in (os.getpid(), os.getppid())} == {1}
    processes()
    assert {reads["command", pid] for pid in (os.getpid(), os.getppid())} == {2}


def test_new_processes_come_and_ended_ones_go(
    reads: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Seconds()
    processes = ChosenProcesses(["other", "tta"], clock)
    assert len(processes()) == 2
    clock.now_s += 5
    monkeypatch.setattr(psutil, "pids", lambda: [os.getppid()])
    assert [one.labels["process.pid"] for one in processes()] == [os.getppid()]
