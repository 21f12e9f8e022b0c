"""What the batch side says about itself, readable without Dagster: its passes, its schedule, its code.

Here: `<home>/run/passes.json`, replaced whole, the lock of the one pass at a time, and the judgement
whether all is well. Not here: running a pass (`dagster_project`), telling people
(`live_tail/alerts/desk/own`, `status`, `doctor`, the pages). Reasons have passed the gate before they
are written.
"""

import json
import secrets
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ingestion.settings import Settings
from privacy.disk.files import write_whole
from privacy.disk.locks import is_held, locked

PROCESS_ENDED = "the process ended during the run"
_KEPT = 50
_SILENT_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class Pass:
    """One run of a job. `outcome` is running, ok, failed or canceled."""

    id: str
    job: str
    started_at: datetime
    outcome: str = "running"
    ended_at: datetime | None = None
    failed: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class BatchHealth:
    """The file as it is; `seen_at` is when the scheduling process last said that it lives."""

    passes: tuple[Pass, ...] = ()
    seen_at: datetime | None = None
    location_problem: str = ""
    schedule_problem: str = ""
    pending: str = ""
    set_aside: str = ""
    unaccounted: str = ""

    def latest(self, job: str = "batch") -> Pass | None:
        """The newest pass of a job that ended by itself."""
        ended = (p for p in reversed(self.passes) if p.outcome in {"ok", "failed"})
        return next((p for p in ended if p.job == job), None)

    def running(self) -> Pass | None:
        """The pass that is not over."""
        return next((p for p in reversed(self.passes) if not p.ended_at), None)


@dataclass(frozen=True)
class BatchProblem:
    """One thing that is wrong: its kind is the name of its alert."""

    kind: str
    reason: str


@dataclass
class PassEnd:
    """How a pass ended; filled while it runs."""

    failed: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    is_canceled: bool = False

    @property
    def outcome(self) -> str:
        """ok, failed or canceled."""
        return "canceled" if self.is_canceled else "failed" if self.failed else "ok"


def read_health(home: Path) -> BatchHealth:
    """What is known; an unreadable file knows nothing. A pass of a dead process has failed."""
    try:
        found = json.loads(_file(home).read_bytes())
        health = _health(found)
    except (OSError, ValueError, KeyError, TypeError):
        return BatchHealth()
    if health.running() and not is_pass_running(home):
        return replace(health, passes=tuple(_closed(p) for p in health.passes))
    return health


def note(home: Path, **changes: Any) -> None:
    """Change what is known: `seen_at`, `location_problem`, `schedule_problem`, `pending`, `set_aside`,
    `unaccounted`."""
    _change(home, lambda health: replace(health, **changes))


def begin(home: Path, job: str, now: datetime) -> Pass:
    """Write down that a pass runs; whoever calls holds `one_pass`."""
    new = Pass(_new_id(), job, now)

    def change(health: BatchHealth) -> BatchHealth:
        # Only one runs at a time: what still counts as running belongs to a process that is gone.
        return replace(health, passes=(*map(_closed, health.passes), new)[-_KEPT:])

    _change(home, change)
    return new


def end(home: Path, begun: Pass, how: PassEnd, now: datetime) -> None:
    """Write down how a pass ended."""
    ended = replace(
        begun,
        ended_at=now,
        outcome=how.outcome,
        failed=tuple(dict.fromkeys(how.failed)),
        reason=" ".join(dict.fromkeys(how.reasons)),
    )
    _change(
        home,
        lambda health: replace(
            health, passes=tuple(ended if p.id == begun.id else p for p in health.passes)
        ),
    )


def interrupt(home: Path, reason: str) -> None:
    """The process that runs the pass is about to end, and that is as it should be."""

    def change(health: BatchHealth) -> BatchHealth:
        now = datetime.now(UTC)
        ended = {"outcome": "canceled", "ended_at": now, "reason": reason}
        return replace(
            health,
            passes=tuple(p if p.ended_at else replace(p, **ended) for p in health.passes),
        )

    _change(home, change)


@contextmanager
def one_pass(home: Path, progress: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Hold the lock of the one pass at a time; waits while another process has it."""
    waits = "another pass is running: waiting for it to finish"
    with locked(_lock_path(home), on_wait=lambda: progress(waits)):
        yield


def is_pass_running(home: Path) -> bool:
    """Whether a pass of this home is running in any process."""
    return is_held(_lock_path(home))


def running_job(home: Path) -> str | None:
    """The job whose run holds the lock, `batch` as long as it has not said so; None when none does."""
    if not is_pass_running(home):
        return None
    running = read_health(home).running()
    return running.job if running else "batch"


def marts_age(settings: Settings, now: datetime) -> timedelta | None:
    """How old the published operations copy is; None when there is none."""
    try:
        written = settings.published_path("operations").stat().st_mtime
    except OSError:
        return None
    return now - datetime.fromtimestamp(written, UTC)


def problems(settings: Settings, now: datetime, began_at: datetime | None) -> list[BatchProblem]:
    """What is wrong with the batch side; `began_at` is when its processes were started, None: not.

    A process that was just started is given time to load and to run its first pass.
    """
    health = read_health(settings.home)
    found = []
    if health.location_problem:
        found.append(BatchProblem("CodeLocationBroken", health.location_problem))
    latest = health.latest()
    if latest and latest.outcome == "failed":
        found.append(BatchProblem("BatchFailed", _why_failed(latest)))
    stopped = _why_stopped(health, now, began_at)
    if stopped:
        found.append(BatchProblem("BatchStopped", stopped))
    if health.set_aside:
        found.append(BatchProblem("RowsSetAside", health.set_aside))
    if health.unaccounted:
        found.append(BatchProblem("ItemsUnaccounted", health.unaccounted))
    stale = _why_stale(settings, health, now, began_at)
    if stale:
        found.append(BatchProblem("MartsStale", stale))
    return found


def _why_failed(latest: Pass) -> str:
    about = f"{', '.join(latest.failed)}: " if latest.failed else ""
    return f"the batch pass of {latest.started_at:%H:%M} UTC failed: {about}{latest.reason}".rstrip(
        ": "
    )


def _why_stopped(health: BatchHealth, now: datetime, began_at: datetime | None) -> str:
    if health.schedule_problem:
        return health.schedule_problem
    if began_at is None:
        return ""
    heard = max(filter(None, (health.seen_at, began_at)))
    if now - heard < _SILENT_AFTER:
        return ""
    return f"the batch process has not been heard of since {heard:%Y-%m-%d %H:%M} UTC"


def _why_stale(
    settings: Settings, health: BatchHealth, now: datetime, began_at: datetime | None
) -> str:
    """Marts older than two intervals while something waits."""
    if began_at is None or not health.pending:
        return ""
    allowed = timedelta(minutes=2 * settings.warehouse.build_every_minutes)
    age = marts_age(settings, now)
    if now - began_at < allowed or (age is not None and age < allowed):
        return ""
    told = "never published" if age is None else f"{age.total_seconds() / 60:.0f} minutes old"
    running = health.running()
    why = f"; a pass runs since {running.started_at:%H:%M} UTC" if running else ""
    return f"the marts are {told} and {health.pending}{why}"


def _change(home: Path, change: Callable[[BatchHealth], BatchHealth]) -> None:
    path = _file(home)
    with locked(path.with_suffix(".lock")):
        try:
            known = _health(json.loads(path.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError):
            known = BatchHealth()
        content = json.dumps(asdict(change(known)), default=lambda at: at.isoformat())
        write_whole(path, content.encode())


def _health(found: dict[str, Any]) -> BatchHealth:
    passes = tuple(
        Pass(
            **{
                **p,
                "started_at": datetime.fromisoformat(p["started_at"]),
                "ended_at": _time(p["ended_at"]),
                "failed": tuple(p["failed"]),
            }
        )
        for p in found["passes"]
    )
    return BatchHealth(**{**found, "passes": passes, "seen_at": _time(found["seen_at"])})


def _closed(found: Pass) -> Pass:
    if found.ended_at:
        return found
    return replace(found, ended_at=found.started_at, outcome="failed", reason=PROCESS_ENDED)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _new_id() -> str:
    """Letters only: the leak scan takes long rows of digits for a phone number."""
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(12))


def _file(home: Path) -> Path:
    return home / "run" / "passes.json"


def _lock_path(home: Path) -> Path:
    return home / "pass.lock"
