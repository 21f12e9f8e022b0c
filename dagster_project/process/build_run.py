"""The batch job in this process, on the same instance and in the same record as the scheduled one.

Here: what needs Dagster of a build in the foreground. Not here: what the command tells (`build`).
"""

import uuid
from collections.abc import Callable

import dagster as dg

from dagster_project.passes.pass_record import recorded, watch
from dagster_project.process.own_runs import OWNER_TAG, fail_dead_runs, ownership
from dagster_project.process.run_history import forget_old_runs
from ingestion.settings import Settings


def run_batch_job(settings: Settings, progress: Callable[[str], None]) -> dg.ExecuteInProcessResult:
    """Run it once; waits while another pass of this home is running."""
    from dagster_project.definitions import defs  # noqa: PLC0415 - parses the dbt project

    job = defs().resolve_job_def("batch")
    progress("running the batch job")
    run_id = str(uuid.uuid4())
    with dg.DagsterInstance.get() as instance, ownership(settings.home) as owner:
        fail_dead_runs(instance, settings.home, also_unowned=False)
        with recorded(settings.home, job.name, run_id, progress) as how:
            result = job.execute_in_process(
                instance=instance, raise_on_error=False, run_id=run_id, tags={OWNER_TAG: owner}
            )
            watch(result.all_events, how)
        forget_old_runs(instance, settings.warehouse.keep_runs)
    return result
