"""Where processes of one home listen for each other: a Unix socket that only the home's owner opens.

Here: listening with mode 0600 in a folder of mode 0700, and HTTP over such a socket. Not here: what is
asked there, and doors for others, which are TCP ports with a check of their own. A socket of a Unix user
cannot be reached from a web page, nor by another user of this machine.
"""

import contextlib
import errno
import http.client
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LONGEST_BYTES = 100
"""What every system takes as a socket's address (`sun_path`: 108 on Linux, 104 on macOS)."""
_TIMEOUT_S = 30


def listen(path: Path) -> socket.socket:
    """Listen at a path, in the place of what a dead process left there.

    Raises OSError: EADDRINUSE while a process answers there, ENAMETOOLONG as `short` does.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.chmod(0o700)
    if _answers(path):
        raise OSError(errno.EADDRINUSE, "another process of this home listens there", str(path))
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with short(path) as name:
            listening.bind(name)
        # Nobody can connect before `listen`, so nobody does before the mode is right.
        path.chmod(0o600)
        listening.listen()
    except OSError:
        listening.close()
        raise
    return listening


@contextmanager
def short(path: Path) -> Iterator[str]:
    """A name for a socket that is short enough for the system, while the block runs.

    Raises OSError (ENAMETOOLONG) for a long path on systems without `/proc`.
    """
    if len(os.fsencode(path)) <= _LONGEST_BYTES:
        yield str(path)
        return
    if not os.path.isdir("/proc/self/fd"):  # noqa: PTH112 - a folder of the kernel's
        raise OSError(errno.ENAMETOOLONG, "choose a data home with a shorter path", str(path))
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def is_own(path: Path) -> bool:
    """Whether a socket is there that this user made: in a shared folder anybody may put one."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISSOCK(found.st_mode) and found.st_uid == os.getuid()


class SocketConnection(http.client.HTTPConnection):
    """HTTP to a process of this home. Connecting raises OSError when the socket is another user's."""

    def __init__(self, path: Path, timeout_s: float = _TIMEOUT_S) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket, whatever host the address names; raises FileNotFoundError without one."""
        if not is_own(self._path):
            raise FileNotFoundError(errno.ENOENT, "no socket of this user", str(self._path))
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        with short(self._path) as name:
            self.sock.connect(name)


def _answers(path: Path) -> bool:
    with contextlib.suppress(OSError), short(path) as name, socket.socket(socket.AF_UNIX) as asking:
        asking.connect(name)
        return True
    return False
