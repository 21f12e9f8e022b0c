"""Dagster's history on connections that stay open: nothing is lost, few shards are open."""

from pathlib import Path

import dagster as dg
from dagster._core.events import DagsterEventType
from dagster._core.execution.api import execute_job
from dagster._core.instance import DagsterInstance

from dagster_project.process.dagster_home import ensure_dagster_home
from dagster_project.process.event_storage import _OPEN, EventStorage
from ingestion.settings import Settings


@dg.op
def one_op() -> None:
    pass


@dg.job
def one_job() -> None:
    one_op()


def test_events_of_many_runs_are_read_back_by_another_process_of_the_home(
    settings: Settings,
) -> None:
    folder = ensure_dagster_home(settings)
    with DagsterInstance.from_config(str(folder)) as instance:
        storage = instance.event_log_storage
        assert isinstance(storage, EventStorage)
        runs = [
            execute_job(dg.reconstructable(one_job), instance=instance).run_id
            for _ in range(_OPEN + 2)
        ]
        assert len(storage._engines) == _OPEN
    with DagsterInstance.from_config(str(folder)) as again:
        for run_id in runs:
            kinds = {e.dagster_event.event_type for e in again.all_logs(run_id) if e.dagster_event}
            assert DagsterEventType.RUN_SUCCESS in kinds
    assert (Path(folder) / "history" / "runs" / "index.db").exists()
