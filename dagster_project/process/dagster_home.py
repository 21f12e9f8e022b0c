"""Dagster's home inside the data home: telemetry and newsletter off, runs in our process, no text of errors.

Here: `dagster.yaml` and the environment of every Dagster process. Not here: what the processes log
(`privacy/process_log/log`). Dagster would keep what a step prints and what its exception says: here it
does not.
"""

from pathlib import Path

from ingestion.settings import Settings
from privacy.disk.files import write_whole

_CONFIG = """\
telemetry:
  enabled: false
nux:
  enabled: false
freshness:
  enabled: true
event_log_storage:
  module: dagster_project.process.event_storage
  class: EventStorage
  config:
    base_dir: {home}/dagster/history/runs
auto_materialize:
  enabled: false
  use_sensors: false
run_coordinator:
  module: dagster._core.run_coordinator
  class: DefaultRunCoordinator
run_launcher:
  module: dagster_project.process.own_runs
  class: OwnProcessLauncher
schedules:
  use_threads: false
sensors:
  use_threads: false
python_logs:
  python_log_level: INFO
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
retention:
  schedule:
    purge_after_days: 7
  sensor:
    purge_after_days: 7
"""


def ensure_dagster_home(settings: Settings) -> Path:
    """Create `<home>/dagster` with its `dagster.yaml`; returns the folder for DAGSTER_HOME."""
    folder = settings.home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "dagster.yaml", _CONFIG.format(home=settings.home).encode())
    return folder


def dagster_environment(settings: Settings) -> dict[str, str]:
    """What a Dagster process of this home needs; user code's errors are told by id alone."""
    return {
        "DAGSTER_HOME": str(settings.home / "dagster"),
        "TTA_MONITOR_HOME": str(settings.home),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "DAGSTER_REDACT_USER_CODE_ERRORS": "1",
    }
