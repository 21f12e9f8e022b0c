"""What the collectors know of their home: `python -m ingestion.collectors.own_settings [--home DIR]`.

Here: the few settings that they need, asked of a process that ends. Not here: the settings and what they may
be (`ingestion/settings`), the asking (`ingestion/processes/asked`).
"""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion.doors.own_receiver import OwnDoor
from ingestion.processes.asked import answer, ask

if TYPE_CHECKING:
    from ingestion.settings import Settings


@dataclass(frozen=True)
class FollowedFiles:
    """Log files to follow: an absolute pattern, and whose they are when it is not empty."""

    glob: str
    component: str = ""


@dataclass(frozen=True)
class OwnSettings:
    """The home, where its receiver listens, and what is to be collected."""

    home: Path
    door: OwnDoor
    host_interval_s: float
    process_patterns: list[str]
    log_files: list[FollowedFiles]
    prometheus_config: Path | None


def own_settings(home: Path | None) -> OwnSettings:
    """Those of a home, or of TTA_MONITOR_HOME; raises `entry.Wrong`."""
    given = ask("ingestion.collectors.own_settings", home)
    jobs = given["prometheus_config"]
    return OwnSettings(
        Path(given["home"]),
        OwnDoor(**given["door"]),
        given["host_interval_s"],
        given["process_patterns"],
        [FollowedFiles(**files) for files in given["log_files"]],
        None if jobs is None else Path(jobs),
    )


def _told(settings: "Settings") -> dict[str, Any]:
    """The same as JSON has it; raises KeyProblem."""
    collectors = settings.collectors
    jobs = collectors.prometheus_config
    return {
        "home": str(settings.home),
        "door": asdict(OwnDoor.of(settings)),
        "host_interval_s": collectors.host_interval_s,
        "process_patterns": collectors.process_patterns,
        "log_files": [{"glob": f.glob, "component": f.component} for f in collectors.log_files],
        "prometheus_config": None if jobs is None else str(jobs),
    }


if __name__ == "__main__":
    sys.exit(answer(_told))
