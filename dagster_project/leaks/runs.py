"""Leak scans that are remembered: started from a page or the command line, their results kept.

Here: running a scan in a process of its own, its progress, result and audit entry. Not here: the scan
(`leak_scan`). A result holds places, kinds and counts, never a text. Whether a scan runs is a lock
that its process holds: when it dies, whoever asks sees that it stopped.
"""

import secrets
import string
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dagster_project.leaks.home_scan import Finding, ScanReport, scan_home
from ingestion.settings import Settings, load_settings
from privacy.audit.audit_log import AuditLog
from privacy.disk.locks import LockHeld, is_held, locked
from privacy.keys.key_store import KeyStore
from privacy.keys.state import Sealer, connect
from privacy.process_log.log import guard

_KIND = "scan_runs"
_KEPT = 50


class ScanIsRunning(Exception):
    """Another scan of this home is running; its result will stand in the list."""


@dataclass(frozen=True)
class ScanRun:
    """One scan. `report` is None until it ended well, `cause` the type of what ended it otherwise."""

    id: str
    started_at: datetime
    by: str
    step: str = ""
    ended_at: datetime | None = None
    report: ScanReport | None = None
    cause: str | None = None

    @property
    def state(self) -> str:
        """running, clean, found, blind (the scan cannot vouch for its answer) or failed."""
        if self.report:
            return ("clean", "found", "blind")[self.report.exit_code]
        return "failed" if self.ended_at else "running"


def start(settings: Settings, by: str) -> None:
    """Begin a scan in a process of its own; raises ScanIsRunning."""
    if is_running(settings):
        raise ScanIsRunning("a leak scan is running: wait for its result.")
    child = subprocess.Popen(
        [sys.executable, "-m", "dagster_project.leaks.runs", str(settings.home), by],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    threading.Thread(target=child.wait, daemon=True).start()


def run(
    settings: Settings,
    keys: KeyStore,
    *,
    by: str,
    listed: Iterable[str] = (),
    artefacts: Iterable[Path] | None = None,
) -> ScanReport:
    """Scan now, keep result and audit entry; raises ScanIsRunning and what `scan_home` raises."""
    with _holding(settings):
        book = _Book(settings, keys)
        now = datetime.now(UTC)
        scan = ScanRun(_new_id(), now, by)
        options = {} if artefacts is None else {"artefacts": artefacts}
        try:
            book.write(scan)
            report = scan_home(
                settings,
                keys,
                listed=listed,
                progress=lambda step: book.write(replace(scan, step=step)),
                **options,
            )
        except BaseException as error:
            ended = datetime.now(UTC)
            book.write(replace(scan, ended_at=ended, cause=type(error).__name__))
            book.tell(by, "failed", cause=type(error).__name__)
            raise
        book.write(replace(scan, ended_at=datetime.now(UTC), report=report))
        findings = sum(f.count for f in report.findings)
        book.tell(by, "done", exit_code=report.exit_code, findings=findings, files=report.files)
    return report


def is_running(settings: Settings) -> bool:
    """Whether a scan of this home is running."""
    return is_held(_lock_path(settings))


def runs(settings: Settings, keys: KeyStore) -> list[ScanRun]:
    """The remembered scans, newest first; one whose process is gone has failed."""
    alive = is_running(settings)
    found = _Book(settings, keys).read()
    return [
        replace(scan, ended_at=scan.started_at, cause="Stopped")
        if scan.state == "running" and not (alive and place == 0)
        else scan
        for place, scan in enumerate(found)
    ]


class _Book:
    """The table of scans."""

    def __init__(self, settings: Settings, keys: KeyStore) -> None:
        self._settings, self._keys = settings, keys
        self._sealer = Sealer(keys, _KIND)

    def write(self, scan: ScanRun) -> None:
        times = {"started_at": scan.started_at, "ended_at": scan.ended_at}
        record = asdict(scan) | {k: t and t.isoformat() for k, t in times.items()}
        db = connect(self._settings.home)
        db.execute(
            "INSERT OR REPLACE INTO leak_scan_runs (id, record, started_at) VALUES (?, ?, ?)",
            (scan.id, self._sealer.seal(scan.id, record), scan.started_at.isoformat()),
        )
        db.execute(
            "DELETE FROM leak_scan_runs WHERE id NOT IN"
            " (SELECT id FROM leak_scan_runs ORDER BY started_at DESC LIMIT ?)",
            (_KEPT,),
        )
        db.close()

    def read(self) -> list[ScanRun]:
        db = connect(self._settings.home)
        rows = db.execute("SELECT id, record FROM leak_scan_runs ORDER BY started_at DESC")
        found = [_scan(self._sealer.open(scan_id, sealed)) for scan_id, sealed in rows]
        db.close()
        return found

    def tell(self, by: str, outcome: Any, **details: str | int) -> None:
        log = AuditLog(self._settings.home, self._keys)
        log.append(actor=by, action="privacy.scan", target="home", outcome=outcome, **details)
        log.close()


def _scan(record: dict[str, Any]) -> ScanRun:
    report = record["report"]
    ended_at = record["ended_at"]
    times = {
        "started_at": datetime.fromisoformat(record["started_at"]),
        "ended_at": datetime.fromisoformat(ended_at) if ended_at else None,
    }
    if report:
        report = ScanReport(
            **{
                **report,
                "findings": tuple(Finding(**f) for f in report["findings"]),
                "blind": tuple(report["blind"]),
                "unread": tuple(report["unread"]),
            }
        )
    return ScanRun(**{**record, **times, "report": report})


def _new_id() -> str:
    """Letters only: digits in `state.db` would look like a phone number to the scan."""
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(12))


@contextmanager
def _holding(settings: Settings) -> Iterator[None]:
    """Hold the scan's lock; the system lets go of it when the process dies."""
    try:
        with locked(_lock_path(settings), waits=False):
            yield
    except LockHeld:
        raise ScanIsRunning("a leak scan is running: wait for its result.") from None


def _lock_path(settings: Settings) -> Path:
    return settings.home / "scan.lock"


def main() -> int:
    """`python -m dagster_project.leaks.runs HOME BY`: one scan, its result kept."""
    guard()
    home, by = sys.argv[1:]
    settings = load_settings(Path(home))
    try:
        return run(settings, KeyStore.open(settings.home), by=by).exit_code
    except ScanIsRunning:
        return 3


if __name__ == "__main__":
    sys.exit(main())
