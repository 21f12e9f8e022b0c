"""When the batch pass runs."""

import dagster as dg

from dagster_project.defs import dbt_models, raw
from dagster_project.passes.news import has_news
from dagster_project.passes.pass_record import tell_why
from ingestion.processes.passes import is_pass_running
from ingestion.settings import load_settings

_NAMED_ONLY = [spec.key for spec in (raw.receiver, *raw.also, *dbt_models.steps)]

batch_job = dg.define_asset_job(
    "batch",
    selection=dg.AssetSelection.all()
    - dg.AssetSelection.keys(dg.AssetKey(["retention", "receipts"]), *_NAMED_ONLY),
    description="Drain, check, build the changed hours, publish.",
    hooks={tell_why},
)


@dg.schedule(
    job=batch_job,
    cron_schedule=f"*/{load_settings().warehouse.build_every_minutes} * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    execution_timezone="UTC",
)
def batch_schedule() -> dg.RunRequest | dg.SkipReason:
    """A pass when there is something for it; a tick during a pass is left out, not queued."""
    settings = load_settings()
    if is_pass_running(settings.home):
        return dg.SkipReason("the pass before it is still running")
    news = has_news(settings)
    if news is None:
        return dg.SkipReason("nothing is new")
    return dg.RunRequest(tags={"tta_monitor/news": news})
