"""Tails log files and sends them as OTLP log records, at least once.

Here: files, rotation, positions that survive restarts (sealed, in `state.db`), sending. Not here: what
a line means (`lines`). A chunk is planned before it is sent: after a crash the same bytes go out
with the same times, so that the receiver knows the body again and counts it once.
"""

import hashlib
import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from glob import glob
from pathlib import Path

from ingestion.collectors.log_files.lines import Entry, entries
from ingestion.collectors.log_files.otlp_exports import export_of_drops, export_of_entries
from ingestion.collectors.own_settings import FollowedFiles, OwnSettings
from ingestion.doors.own_receiver import Send, SendFailed, SendRefused, sender
from privacy.disk.sqlite_databases import transaction
from privacy.keys.key_store import KeyStore
from privacy.keys.state import Sealer, connect
from privacy.process_log.log import logger

_CHUNK_BYTES = 1024 * 1024
_POLL_S = 0.5
_IDLE_S = 1.0
_HEAD_BYTES = 256
_CUT_BYTES = 8_000
_PACKED = (".gz", ".zip", ".xz", ".bz2", ".zst")
_log = logger()


@dataclass(frozen=True)
class Position:
    """How far a file was sent; `pending_end` is the end of a chunk whose answer is not known yet.

    `head` is a digest of the file's first `head_size` bytes: an inode alone may be another file by now.
    """

    inode: int
    offset: int
    head: str = ""
    head_size: int = 0
    pending_end: int = 0
    pending_ns: int = 0


class LogTail:
    """All files of the settings; `step` does one round."""

    def __init__(
        self,
        home: Path,
        keys: KeyStore,
        chosen: list[FollowedFiles],
        send: Send,
        *,
        tell: Send = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`send` takes log exports, `tell` metric exports about what is no log record."""
        self._db = connect(home)
        self._sealer = Sealer(keys, "log_positions")
        self._chosen, self._send, self._tell, self._clock = chosen, send, tell, clock
        self._grown: dict[str, tuple[int, float]] = {}

    def step(self) -> int:
        """Send what is new in every file; returns entries sent. A file that fails waits its turn."""
        sent = 0
        for files in self._chosen:
            for name in sorted(glob(files.glob, recursive=True)):  # noqa: PTH207 - absolute patterns
                if name.endswith(_PACKED) or not Path(name).is_file():
                    continue
                try:
                    sent += self._follow(Path(name), files)
                except (OSError, SendFailed) as error:
                    _log.warning("a log file could not be read or sent", cause=type(error).__name__)
        return sent

    def _follow(self, path: Path, files: FollowedFiles) -> int:
        known = self._position(path)
        sent = 0
        inode = path.stat().st_ino
        if known is not None and known.inode != inode:
            sent += self._finish_rotated(path, known, files)
            known = None
        with path.open("rb") as file:
            if known is None or not _is_same(file.fileno(), known):
                known = Position(os.fstat(file.fileno()).st_ino, 0)
            return sent + self._send_new(path, file.fileno(), known, files)

    def _finish_rotated(self, path: Path, known: Position, files: FollowedFiles) -> int:
        """The rest of a file that was renamed away, where it can be found beside the new one."""
        for sibling in sorted(path.parent.glob(f"{path.name}*")):
            if sibling == path or sibling.suffix in _PACKED or sibling.stat().st_ino != known.inode:
                continue
            with sibling.open("rb") as file:
                if _is_same(file.fileno(), known):
                    return self._send_new(path, file.fileno(), known, files, is_closed=True)
        return 0

    def _send_new(
        self, path: Path, fd: int, known: Position, files: FollowedFiles, *, is_closed: bool = False
    ) -> int:
        sent = 0
        while True:
            plan = self._plan(path, fd, known, is_closed=is_closed)
            if plan is None:
                return sent
            known, found = plan
            self._deliver(found, known.pending_ns, _component(path, files), files)
            known = replace(known, offset=known.pending_end, pending_end=0, pending_ns=0)
            self._keep(path, known)
            sent += len(found)

    def _deliver(self, found: list[Entry], at_ns: int, named: str, files: FollowedFiles) -> None:
        """Send entries, in halves where the receiver will not take as many; then tell what went.

        It counts the entry that it refuses alone.
        """
        body, dropped = export_of_entries(found, at_ns, named, files)
        try:
            self._send(body)
        except SendRefused:
            if len(found) == 1:
                return
            half = len(found) // 2
            for some in (found[:half], found[half:]):
                self._deliver(some, at_ns, named, files)
            return
        if dropped:
            self._tell(export_of_drops(dropped, at_ns, named))

    def _plan(
        self, path: Path, fd: int, known: Position, *, is_closed: bool
    ) -> tuple[Position, list[Entry]] | None:
        """The next chunk, written down before it is sent; None when nothing is complete."""
        if known.pending_end:
            data = os.pread(fd, known.pending_end - known.offset, known.offset)
            return known, _entries_of(data, known.offset, takes_rest=True)
        data = os.pread(fd, _CHUNK_BYTES, known.offset)
        found = _entries_of(data, known.offset, takes_rest=is_closed and len(data) < _CHUNK_BYTES)
        if len(data) < _CHUNK_BYTES and not is_closed and not self._is_idle(path, fd):
            # A traceback may go on: the last entry waits until another begins or nothing comes.
            found = found[:-1]
        elif len(data) == _CHUNK_BYTES and len(found) > 1:
            found = found[:-1]
        if not found:
            return None
        head_size = min(_HEAD_BYTES, found[-1].end)
        planned = replace(
            known,
            head=_digest(os.pread(fd, head_size, 0)),
            head_size=head_size,
            pending_end=found[-1].end,
            pending_ns=int(self._clock() * 1e6) * 1_000,
        )
        self._keep(path, planned)
        return planned, found

    def _is_idle(self, path: Path, fd: int) -> bool:
        size, now = os.fstat(fd).st_size, self._clock()
        before = self._grown.get(str(path))
        if before is None or before[0] != size:
            self._grown[str(path)] = size, now
            return False
        return now - before[1] >= _IDLE_S

    def _position(self, path: Path) -> Position | None:
        id_ = _digest(str(path).encode())
        row = self._db.execute("SELECT record FROM log_positions WHERE id = ?", (id_,)).fetchone()
        return Position(**self._sealer.open(id_, row[0])) if row else None

    def _keep(self, path: Path, position: Position) -> None:
        id_ = _digest(str(path).encode())
        sealed = self._sealer.seal(id_, asdict(position))
        with transaction(self._db):
            self._db.execute(
                "INSERT OR REPLACE INTO log_positions (id, record) VALUES (?, ?)", (id_, sealed)
            )


def _is_same(fd: int, known: Position) -> bool:
    """Whether the file is the one the position is of; a smaller or rewritten one is not."""
    if os.fstat(fd).st_size < max(known.offset, known.pending_end):
        return False
    return _digest(os.pread(fd, known.head_size, 0)) == (known.head or _digest(b""))


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _entries_of(data: bytes, offset: int, *, takes_rest: bool) -> list[Entry]:
    """The entries of a chunk; a line that fills it is cut, one without an end is taken if nothing follows."""
    if len(data) == _CHUNK_BYTES and b"\n" not in data:
        text = data[:_CUT_BYTES].decode("utf-8", "replace")
        return [Entry(text, offset, offset + len(data), is_cut=True)]
    if not takes_rest or not data or data.endswith(b"\n"):
        return list(entries(data, offset))
    *found, last = entries(data + b"\n", offset)
    return [*found, replace(last, end=offset + len(data))]


def _component(path: Path, files: FollowedFiles) -> str:
    """Whose file it is, unless an entry names another."""
    return files.component or path.name.partition(".")[0]


def start_log_files(settings: OwnSettings, stopping: threading.Event) -> threading.Thread | None:
    """Tail the files of `collectors.log_files` in a thread; should it end, `stopping` is set."""
    if not settings.log_files:
        return None

    def work() -> None:
        try:
            keys = KeyStore.open(settings.home)
            tail = LogTail(
                settings.home,
                keys,
                settings.log_files,
                sender(settings.door, "/v1/logs"),
                tell=sender(settings.door, "/v1/metrics"),
            )
            while not stopping.is_set():
                tail.step()
                stopping.wait(_POLL_S)
        finally:
            stopping.set()

    thread = threading.Thread(target=work, name="log-files", daemon=True)
    thread.start()
    return thread
