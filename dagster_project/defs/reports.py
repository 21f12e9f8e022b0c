"""Reports: what is due is made within the hour after its period is over, each kind an asset of its own."""

import dagster as dg

from dagster_project.defs.home import Home, InHome
from dagster_project.passes.pass_record import tell_why
from dagster_project.reporting import making
from dagster_project.reporting.kinds import kinds
from dagster_project.reporting.kinds.report_source import NoData, ReportKind
from dagster_project.reporting.making_aside import make_aside
from ingestion.processes.passes import is_pass_running


def _key(kind: ReportKind) -> dg.AssetKey:
    return dg.AssetKey(["reports", kind.name.replace("-", "_")])


def _report(kind: ReportKind) -> dg.AssetsDefinition:
    @dg.asset(
        key=_key(kind),
        group_name="reports",
        deps=[["published", kind.audience]],
        kinds={"pdf"},
        description=f"{kind.about} One edition for each {kind.cadence} period, in `<home>/reports`.",
    )
    def report(home: InHome) -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata=_made(home, kind))

    return report


def _made(home: Home, kind: ReportKind) -> dict[str, str]:
    """What became of the newest period that is over; a period of which nothing is known is no failure."""
    due = making.latest_of(home.settings, kind, home.clock())
    try:
        made = make_aside(home.settings, kind.name, due.period.label, making.SERVICE)
    except NoData as nothing:
        return {"period": due.period.label, "outcome": making.EMPTY, "reason": str(nothing)}
    told = {"period": made.period, "outcome": made.outcome, "edition": made.edition}
    return {**told, "verdict": made.verdict, "delivered": "; ".join(made.delivered) or "nowhere"}


reports = [_report(kind) for kind in kinds().values()]

report_job = dg.define_asset_job(
    "reports",
    selection=dg.AssetSelection.groups("reports"),
    description="Make what is due: the figures of a day, a week, a month that is over.",
    hooks={tell_why},
)


@dg.schedule(
    job=report_job,
    # At no minute at which passes begin, whether every five minutes or every quarter of an hour.
    cron_schedule="23 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    execution_timezone="UTC",
)
def report_schedule(home: InHome) -> dg.RunRequest | dg.SkipReason:
    """A run for what is due and missing, looked for every hour: a night off or a changed clock costs none."""
    if is_pass_running(home.settings.home):
        return dg.SkipReason("a pass is running: the next hour will do")
    now = home.clock()
    due = making.due(home.settings, now)
    if not due:
        return dg.SkipReason("every report that is due has been made")
    return dg.RunRequest(asset_selection=[_key(one.kind) for one in due])
