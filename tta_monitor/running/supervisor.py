"""Asking the running supervisor of a data home over its unix socket, and stopping it.

Here: whether one runs, what its processes do, ending them all. Not here: which processes there are
and how the supervisor starts (`supervise`).
"""

import contextlib
import hashlib
import http.client
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy, Transport

from ingestion.doors.home_socket import SocketConnection


class _Transport(Transport):
    """XML-RPC over a unix socket; supervisor's own would import all of its server."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        """A connection to the socket, whatever host the address names."""
        return SocketConnection(self._path)


def socket_path(home: Path) -> Path:
    """Where the supervisor of a home listens; unix paths are limited to about 100 bytes, homes not."""
    digest = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    return Path("/tmp") / f"tta-monitor-{os.getuid()}-{digest}.sock"  # noqa: S108 - mode 0700


def running_pid(home: Path) -> int | None:
    """The pid of this home's supervisor, if one answers."""
    try:
        with _rpc(home) as rpc:
            return int(rpc.supervisor.getPID())
    except (OSError, Fault, http.client.HTTPException):
        return None


def processes(home: Path) -> list[dict[str, Any]] | None:
    """What the supervisor says of its processes; None when none answers."""
    try:
        with _rpc(home) as rpc:
            return list(rpc.supervisor.getAllProcessInfo())
    except (OSError, Fault, http.client.HTTPException):
        return None


def stop(home: Path, *, timeout_s: float = 45) -> bool:
    """Stop every process of this home and no other; False when nothing ran."""
    import psutil

    try:
        with _rpc(home) as rpc:
            supervisor = psutil.Process(int(rpc.supervisor.getPID()))
            family = [supervisor, *supervisor.children(recursive=True)]
            rpc.supervisor.shutdown()
    except (OSError, Fault, http.client.HTTPException, psutil.NoSuchProcess):
        return False
    # psutil compares start times, so a reused pid is never signalled.
    _, alive = psutil.wait_procs(family, timeout=timeout_s)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(alive, timeout=5)
    return True


@contextlib.contextmanager
def _rpc(home: Path) -> Iterator[Any]:
    transport = _Transport(socket_path(home))
    try:
        yield ServerProxy("http://localhost/RPC2", transport=transport)
    finally:
        transport.close()
