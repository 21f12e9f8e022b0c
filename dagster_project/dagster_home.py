"""Dagster's own home inside the data home: telemetry off, one run at a time, no text of errors.

Here: `dagster.yaml` and the environment of every Dagster process. Not here: what the processes log
(`privacy/logs`). Dagster would keep what a step prints and what its exception says: here it does not.
"""

from pathlib import Path

from ingestion.settings import Settings

_CONFIG = """\
telemetry:
  enabled: false
freshness:
  enabled: true
concurrency:
  runs:
    max_concurrent_runs: 1
run_monitoring:
  enabled: true
  start_timeout_seconds: 300
event_log_storage:
  module: dagster_project.event_storage
  class: EventStorage
  config:
    base_dir: {home}/dagster/history/runs
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
    (folder / "dagster.yaml").write_text(_CONFIG.format(home=settings.home))
    return folder


def dagster_environment(settings: Settings) -> dict[str, str]:
    """What a Dagster process of this home needs; user code's errors are told by id alone."""
    return {
        "DAGSTER_HOME": str(settings.home / "dagster"),
        "TTA_MONITOR_HOME": str(settings.home),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "DAGSTER_REDACT_USER_CODE_ERRORS": "1",
    }
