"""When the batch pass runs."""

import dagster as dg

from dagster_project.defs.home import InHome
from dagster_project.passes.news import has_news
from dagster_project.passes.pass_record import tell_why
from ingestion.processes.passes import running_job
from ingestion.settings import Settings

batch_job = dg.define_asset_job(
    "batch",
    # What is named for lineage only is made by nobody.
    selection=dg.AssetSelection.all().materializable()
    - dg.AssetSelection.assets(["retention", "receipts"])
    - dg.AssetSelection.groups("reports"),
    description="Drain, check, build the changed hours, publish.",
    hooks={tell_why},
)


def schedule_definitions(settings: Settings) -> dg.Definitions:
    """The schedule of a home: it says itself how often."""

    @dg.schedule(
        job=batch_job,
        cron_schedule=f"*/{settings.warehouse.build_every_minutes} * * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        execution_timezone="UTC",
    )
    def batch_schedule(home: InHome) -> dg.RunRequest | dg.SkipReason:
        """A pass when there is something for it; a tick during a pass is left out, not queued.

        Behind any other run a pass waits its turn: marts get no older than an interval for a report.
        """
        if running_job(home.settings.home) == "batch":
            return dg.SkipReason("the pass before it is still running")
        news = has_news(home.settings)
        if news is None:
            return dg.SkipReason("nothing is new")
        return dg.RunRequest(tags={"tta_monitor/news": news})

    return dg.Definitions(schedules=[batch_schedule])
