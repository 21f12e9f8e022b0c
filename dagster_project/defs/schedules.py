"""When the batch pass runs."""

import dagster as dg

from dagster_project.defs import dbt_models, raw
from ingestion.settings import load_settings

_NAMED_ONLY = [spec.key for spec in (raw.receiver, *raw.also, *dbt_models.steps)]

batch_job = dg.define_asset_job(
    "batch",
    selection=dg.AssetSelection.all()
    - dg.AssetSelection.keys(dg.AssetKey(["retention", "receipts"]), *_NAMED_ONLY),
    description="Drain, check, build the changed hours, publish.",
)

batch_schedule = dg.ScheduleDefinition(
    name="batch_schedule",
    job=batch_job,
    cron_schedule=f"*/{load_settings().warehouse.build_every_minutes} * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    execution_timezone="UTC",
)
