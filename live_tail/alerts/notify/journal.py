"""What a kill -9 must not make us forget: which messages were being handed over.

Here: an append-only file of keys. It is written with one `write`, which survives the death of the
process, right before the last bytes of a request leave, and again once its outcome is in the
outbox. A key that began and did not end has probably arrived: it is sent again only when its repeat
interval has passed and nothing newer was delivered on its subject. Not here: the outbox (`store`).
A power cut may lose the last lines: then a message can come twice.
"""

import os
import threading
from pathlib import Path

_LARGE = 1024 * 1024
_KEY_CHARS = 32


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
        begun: set[str] = set()
        for line in content.decode("ascii", "replace").split("\n"):
            if line.startswith("-"):
                begun.discard(line[1:])
            elif len(line) == _KEY_CHARS:
                begun.add(line)
        return begun

    def begin(self, key: str) -> None:
        """The receiver may have it from now on."""
        with self._lock:
            self._open.add(key)
            os.write(self._file, key.encode() + b"\n")

    def end(self, key: str) -> None:
        """Its outcome is in the outbox."""
        with self._lock:
            self._open.discard(key)
            os.write(self._file, b"-" + key.encode() + b"\n")
            if not self._open and os.fstat(self._file).st_size > _LARGE:
                os.ftruncate(self._file, 0)

    def clear(self) -> None:
        """Everything left over is settled."""
        os.ftruncate(self._file, 0)
