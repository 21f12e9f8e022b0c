"""What `status` and `doctor` say of the batch side.

Here: what is wrong, in words. Not here: the judgement (`ingestion/processes/passes`). Nothing here imports
Dagster: it costs milliseconds.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ingestion.processes import passes
from ingestion.settings import Settings

if TYPE_CHECKING:
    from tta_monitor.running.supervise import ProcessState

_PROCESS = "dagster"


def problems(settings: Settings, states: Sequence["ProcessState"]) -> list[str]:
    """What is wrong with passes, schedule, code and marts, each in a sentence."""
    now = datetime.now(UTC)
    began_at = _began_at(states, now)
    return [f"{p.reason}." for p in passes.problems(settings, now, began_at)]


def latest(settings: Settings) -> str:
    """How the newest pass went, when nothing is wrong."""
    found = passes.read_health(settings.home).latest()
    if found is None or found.ended_at is None:
        return "no pass has run yet"
    took = (found.ended_at - found.started_at).total_seconds()
    return f"the pass of {found.started_at:%Y-%m-%d %H:%M} UTC took {took:.0f} s"


def _began_at(states: Sequence["ProcessState"], now: datetime) -> datetime | None:
    """Since when the batch process is supervised; None when nothing runs."""
    mine = next((s for s in states if s.name == _PROCESS), None)
    if mine is None:
        return None
    return now - timedelta(seconds=mine.uptime_s or 0)
