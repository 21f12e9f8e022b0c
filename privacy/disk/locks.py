"""Locks between the processes and threads of a home: each a file beside what it protects.

Here: taking one, and asking whether somebody has one. Not here: what is protected. A lock is flock(2) on
the whole file, so that the system lets go of it when its process dies, however it dies; the file stays.
`filelock` takes it. Whether somebody has one is asked by a shared lock, which `filelock` does not have:
two who ask at the same time would otherwise each take the other for an owner.
"""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import FileLock

_POLL_S = 0.02
_ASKED_S = 0.5
"""Whoever asks whether a lock is held has it for microseconds."""


class LockHeld(Exception):
    """Somebody else has the lock, and whoever wanted it does not wait."""


@contextmanager
def locked(
    path: Path, *, waits: bool = True, on_wait: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Hold the lock while the block runs.

    While somebody else has it: `on_wait` is called once, then the lock is waited for; raises LockHeld
    when it is not to be waited for.
    """
    lock = _lock(path)
    _acquire(lock, waits=waits, on_wait=on_wait)
    try:
        yield
    finally:
        lock.release()


def hold(path: Path) -> "FileLock":
    """Hold the lock until `release()`, or until the process ends; waits while somebody else has it."""
    lock = _lock(path)
    lock.acquire()
    return lock


def is_held(path: Path, *, remove: bool = False) -> bool:
    """Whether somebody has the lock; never waits, and makes no file.

    `remove` unlinks the file of a lock that nobody has, while nobody can take it.
    """
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if remove:
            path.unlink(missing_ok=True)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _lock(path: Path) -> "FileLock":
    # Most commands take no lock, and answer sooner without the library.
    from filelock import FileLock  # noqa: PLC0415

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Where the file system has no flock, a lock that outlives its process would be worse than none.
    return FileLock(
        path, mode=0o600, thread_local=False, poll_interval=_POLL_S, fallback_to_soft=False
    )


def _acquire(lock: "FileLock", *, waits: bool, on_wait: Callable[[], None]) -> None:
    from filelock import Timeout  # noqa: PLC0415

    with contextlib.suppress(Timeout):
        lock.acquire(timeout=0 if waits else _ASKED_S)
        return
    if not waits:
        raise LockHeld("somebody else has the lock: try again when it is free.")
    on_wait()
    lock.acquire(timeout=-1)
