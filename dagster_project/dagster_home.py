"""Dagster's own home inside the data home: telemetry off, one run at a time."""

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
    (folder / "dagster.yaml").write_text(_CONFIG)
    return folder
