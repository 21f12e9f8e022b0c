"""Retention: once a day, what the policy says is removed."""

from datetime import timedelta

import dagster as dg

from dagster_project.defs.home import InHome
from dagster_project.passes.pass_record import tell_why
from dagster_project.retention.daily import HOUR, is_due, run_pass
from ingestion.expiry import plan as expiry


@dg.asset(key=["retention", "receipts"], group_name="privacy")
def retention_receipts(context: dg.AssetExecutionContext, home: InHome) -> dg.MaterializeResult:
    """Purge partitions and keys that are past their time; fails when anything is found afterwards."""
    policy = expiry.policy_of(home.settings)
    with home.writing(context.log.info):
        done = run_pass(home.settings, home.keys(), policy, home.now())
    left = [r.rule for r in done if r.proof_rows or r.proof_files]
    if left:
        raise dg.Failure(f"still there after the purge: {', '.join(left)}")
    return dg.MaterializeResult(
        metadata={
            "rules": len(done),
            "partitions": sum(r.partitions for r in done),
            "dagster/row_count": sum(r.rows for r in done),
            "keys_destroyed": sum(len(r.keys_destroyed) for r in done),
        }
    )


retention_job = dg.define_asset_job(
    "retention",
    selection=dg.AssetSelection.keys(["retention", "receipts"]),
    description="Remove what is past its time, prove it, keep receipts.",
    hooks={tell_why},
)

retention_schedule = dg.ScheduleDefinition(
    name="retention_schedule",
    job=retention_job,
    cron_schedule=f"{HOUR.minute} {HOUR.hour} * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    execution_timezone="UTC",
)

# The schedule's own run needs a while to start and to wait for a build.
_GRACE = timedelta(minutes=20)


@dg.sensor(
    job=retention_job,
    minimum_interval_seconds=1800,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Runs the pass of a day on which nothing ran at the hour of the schedule.",
)
def retention_catch_up(home: InHome) -> dg.RunRequest | dg.SkipReason:
    """One run an hour at most until the pass is done."""
    now = home.now()
    if not is_due(home.settings.home, now, _GRACE):
        return dg.SkipReason("the latest pass was done")
    return dg.RunRequest(run_key=f"retention-{now:%Y-%m-%dT%H}")
