"""When the batch pass runs."""

import dagster as dg

from ingestion.settings import load_settings

batch_job = dg.define_asset_job(
    "batch",
    selection=dg.AssetSelection.all()
    - dg.AssetSelection.keys(["receiver", "otlp"], ["retention", "receipts"]),
    description="Drain, check, build the changed hours, publish.",
)

batch_schedule = dg.ScheduleDefinition(
    name="batch_schedule",
    job=batch_job,
    cron_schedule=f"*/{load_settings().warehouse.build_every_minutes} * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    execution_timezone="UTC",
)
