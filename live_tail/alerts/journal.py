"""What a kill -9 must not make us forget: which messages were being handed over.

Here: an append-only file of keys. It is written with one `write`, which survives the death of the
process, right before the last bytes of a request leave. A key that is in it without an outcome in
the outbox has probably arrived: it is sent again only when its repeat interval has passed and
nothing newer was delivered on its subject. A key that is not in it has not arrived. Not here: the
outbox (`store`). A power cut may lose the last lines: then a message can come twice.
"""

import os
import threading
from pathlib import Path

_LARGE = 1024 * 1024


class Journal:
    """One file, one process; threads share it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._lock = threading.Lock()
        self._open: set[str] = set()

    def left_over(self) -> set[str]:
        """Keys that were being handed over when the process before died."""
        content = os.pread(self._file, os.fstat(self._file).st_size, 0)
        return {line.decode() for line in content.split(b"\n") if len(line) == 32}

    def begin(self, key: str) -> None:
        """The receiver may have it from now on."""
        with self._lock:
            self._open.add(key)
            os.write(self._file, key.encode() + b"\n")

    def end(self, key: str) -> None:
        """Its outcome is in the outbox."""
        with self._lock:
            self._open.discard(key)
            if not self._open and os.fstat(self._file).st_size > _LARGE:
                os.ftruncate(self._file, 0)

    def clear(self) -> None:
        """Everything left over is settled."""
        os.ftruncate(self._file, 0)
