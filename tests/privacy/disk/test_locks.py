"""Locks between processes: who waits, who is told, and what a death leaves."""

import ast
import fcntl
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from privacy.disk.locks import LockHeld, hold, is_held, locked
from tests.conftest import ROOT

_HOLDER = """
import sys
from pathlib import Path
from privacy.disk.locks import hold
lock = hold(Path(sys.argv[1]))
print("has it", flush=True)
sys.stdin.read()
"""
_BEFORE = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("has it", flush=True)
sys.stdin.read()
"""


@contextmanager
def another_process(path: Path, code: str = _HOLDER) -> Iterator[subprocess.Popen[str]]:
    """A process that has the lock until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    ) as process:  # fmt: skip
        assert process.stdout and process.stdout.readline() == "has it\n"
        yield process
        if process.stdin:
            process.stdin.close()


def test_a_lock_is_private_to_its_owner_and_its_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "lock"
    with locked(path):
        assert path.stat().st_mode & 0o777 == 0o600
        assert is_held(path)
    assert path.exists() and not is_held(path)


def test_threads_that_want_one_lock_take_turns(tmp_path: Path) -> None:
    path, count = tmp_path / "lock", tmp_path / "count"
    count.write_text("0")

    def add() -> None:
        for _ in range(20):
            with locked(path):
                count.write_text(str(int(count.read_text()) + 1))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count.read_text() == "80"


def test_whoever_waits_is_told_once_and_gets_it_when_the_owner_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    told = []
    with another_process(path) as process:

        def waits() -> None:
            told.append("waits")
            process.send_signal(signal.SIGKILL)

        with locked(path, on_wait=waits):
            assert told == ["waits"]
            assert is_held(path)
    with locked(path, on_wait=waits):
        assert told == ["waits"]


def test_whoever_does_not_wait_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with (
        another_process(path),
        pytest.raises(LockHeld, match="try again"),
        locked(path, waits=False),
    ):
        raise AssertionError("two have the lock")
    with locked(path, waits=False):
        assert is_held(path)


def test_asking_takes_nothing_from_those_who_ask_or_want_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_held(path) and not path.exists()
    path.touch()
    asking = os.open(path, os.O_RDWR)
    fcntl.flock(asking, fcntl.LOCK_SH)
    assert not is_held(path)
    # Somebody who only asks has it for a moment: whoever does not wait for an owner waits for that.
    threading.Timer(0.05, os.close, [asking]).start()
    with locked(path, waits=False):
        assert is_held(path)


def test_the_file_of_a_dead_owner_goes_and_that_of_a_living_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "owner"
    with another_process(path) as process:
        assert is_held(path, remove=True) and path.exists()
        process.kill()
        process.wait()
        assert not is_held(path, remove=True) and not path.exists()


def test_a_lock_whose_file_was_removed_meanwhile_is_one_of_the_file_that_is_there(
    tmp_path: Path,
) -> None:
    path = tmp_path / "owner"
    with another_process(path) as process:
        waiting = threading.Timer(0.05, process.kill)

        def removed() -> None:
            path.unlink()
            waiting.start()

        with locked(path, on_wait=removed):
            assert is_held(path)


def test_a_process_of_the_version_before_and_one_of_this_exclude_each_other(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with another_process(path, _BEFORE):
        assert is_held(path)
        with pytest.raises(LockHeld), locked(path, waits=False):
            raise AssertionError("two have the lock")
    lock = hold(path)
    before = path.open("w")
    with pytest.raises(BlockingIOError):
        fcntl.flock(before, fcntl.LOCK_EX | fcntl.LOCK_NB)
    lock.release()
    fcntl.flock(before, fcntl.LOCK_EX | fcntl.LOCK_NB)
    before.close()


def test_nobody_else_locks_syncs_or_replaces_a_file_by_hand() -> None:
    by_hand = re.compile(
        r"\b(?:fcntl|flock|fsync|filelock)\b|os\.(?:replace|rename)\(|temporary\.replace"
    )
    found = {
        str(file.relative_to(ROOT))
        for package in (
            "privacy",
            "ingestion",
            "live_tail",
            "dagster_project",
            "streamlit_app",
            "tta_monitor",
        )
        for file in (ROOT / package).rglob("*.py")
        if file.parent != ROOT / "privacy" / "disk" and by_hand.search(_code(file))
    }
    assert found == set()


def _code(file: Path) -> str:
    """A module without its comments and documentation."""
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
