"""The weekly report of reliability: objectives and their error budgets, time to repair, top errors."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dagster_project.reporting.document.figures import (
    Column,
    Figure,
    Table,
    figure,
    rounded,
    table,
    told,
)
from dagster_project.reporting.document.report_document import Chart, State
from dagster_project.reporting.document.report_periods import Cadence, ReportPeriod
from dagster_project.reporting.kinds import mart_sums
from dagster_project.reporting.kinds.daily_operations import (
    alert_table,
    aware,
    error_table,
    release_table,
)
from dagster_project.reporting.kinds.mart_sums import Rows
from dagster_project.reporting.kinds.report_source import ReportKind, Said, Source, naive

_DAY_S = 86_400
_BUDGET_DAYS = 30
_MOST_LINES = 6
_KNOWN_BY = {
    "fct_requests_minutely": "minute_at",
    "fct_errors_hourly": "hour_at",
    "fct_alert_episodes": "coalesce(fired_at, started_at, updated_at)",
}
_UP_TO = """
    SELECT component, sum(request_count)::BIGINT AS requests, sum(error_count)::BIGINT AS failed
    FROM fct_requests_minutely
    WHERE minute_at >= $since AND minute_at < $until AND NOT regexp_matches(lower(route), $unasked)
    GROUP BY component"""


@dataclass(frozen=True)
class Budget:
    """Requests of thirty days, and how much of what may fail has failed, percent."""

    requests: int
    failed: int
    objective_pct: float

    @property
    def used_pct(self) -> float | None:
        """Of the failures that the objective allows; above 100 it is missed."""
        allowed = self.requests * (100.0 - self.objective_pct) / 100.0
        return 100.0 * self.failed / allowed if allowed else None

    @property
    def left_pct(self) -> float | None:
        """What is left, at least nothing."""
        return None if self.used_pct is None else max(100.0 - self.used_pct, 0.0)


class _Week:
    """What the marts know of one week."""

    def __init__(self, source: Source, period: ReportPeriod, objective: float) -> None:
        self.by_component = mart_sums.requests(source, period, "component")
        self.fired = mart_sums.alerts(source, period)
        self.errors = mart_sums.errors(source, period)
        self.budgets = _budgets(source, period, objective)
        self.budget = _sum(self.budgets.values(), objective)

    @property
    def whole(self) -> dict[str, Any]:
        """Requests of all components."""
        return {n: sum(r[n] for r in self.by_component) for n in ("requests", "failed")}

    @property
    def critical(self) -> Rows:
        """Critical alerts that fired."""
        return [alert for alert in self.fired if alert["severity"] == "critical"]

    @property
    def repair_min(self) -> float | None:
        """Mean minutes to resolution of critical alerts and warnings that are over."""
        return _mean([alert for alert in self.fired if alert["severity"] != "info"], "minutes")


def say(source: Source, period: ReportPeriod) -> Said:
    """How reliable a week was; raises NoData."""
    mart_sums.check_known(source, period, _KNOWN_BY)
    objective = source.settings.reports.objective_pct
    week, before = (_Week(source, p, objective) for p in (period, period.previous))
    state, verdict = _verdict(week, objective)
    return Said(
        state,
        verdict,
        _figures(week, before),
        _charts(source, period, week, objective),
        (
            _objectives(week, objective),
            _rules(week.fired),
            alert_table(week.critical, period, title="Critical alerts"),
            error_table(week.errors),
            _routes(source, period),
            release_table(mart_sums.releases(source, period), period),
        ),
        _method(objective),
    )


def _verdict(week: _Week, objective: float) -> tuple[State, str]:
    missed = sorted(
        r["component"] for r in week.by_component if (mart_sums.available(r) or 0.0) < objective
    )
    critical, repaired = len(week.critical), rounded(week.repair_min, 1)
    ended = f"{critical or 'no'} critical alert{'' if critical == 1 else 's'}"
    ended += "" if repaired is None else f", alerts ended after {told(repaired, 1)} min on average"
    if not week.by_component:
        return "unknown", f"No request was measured; {ended}."
    left = f"{told(rounded(week.budget.left_pct, 1), 1)} % of the error budget is left"
    named = ", ".join(missed[:3]) + (f" and {len(missed) - 3} more" if len(missed) > 3 else "")
    below = f"elow {objective:g} % in {named or 'no component'} this week"
    if week.budget.left_pct == 0:
        return "critical", f"The error budget of {_BUDGET_DAYS} days is spent: b{below}; {ended}."
    if missed:
        return "warning", f"B{below}; {left}; {ended}."
    return "ok", f"Every component met {objective:g} %; {left}; {ended}."


def _figures(week: _Week, before: _Week) -> tuple[Figure, ...]:
    missing = "No request was measured."
    return (
        figure(
            "Availability", mart_sums.available(week.whole), mart_sums.available(before.whole),
            unit="%", digits=2, better="up", missing=missing,
        ),
        figure(
            "Error budget left", week.budget.left_pct, before.budget.left_pct, unit="%", digits=1,
            better="up", missing=missing,
        ),
        figure(
            "Time to repair", week.repair_min, before.repair_min, unit="min", digits=1,
            better="down", missing="No alert was resolved.",
        ),
        figure("Critical alerts", len(week.critical), len(before.critical), better="down"),
        figure(
            "Errors", sum(r["errors"] for r in week.errors),
            sum(r["errors"] for r in before.errors), better="down",
        ),
    )  # fmt: skip


def _budgets(source: Source, period: ReportPeriod, objective: float) -> dict[str, Budget]:
    """By component, of the thirty days up to the end of the period."""
    until = naive(period.end_at)
    rows = source.ask(
        _UP_TO, period, since=until - timedelta(days=_BUDGET_DAYS), until=until,
        unasked=mart_sums.unasked(),
    )  # fmt: skip
    return {r["component"]: Budget(r["requests"], r["failed"], objective) for r in rows}


def _sum(budgets: Iterable[Budget], objective: float) -> Budget:
    every = list(budgets)
    return Budget(sum(b.requests for b in every), sum(b.failed for b in every), objective)


def _mean(rows: Rows, name: str) -> float | None:
    known = [r[name] for r in rows if r[name] is not None]
    return sum(known) / len(known) if known else None


def _charts(
    source: Source, period: ReportPeriod, week: _Week, objective: float
) -> tuple[Chart, ...]:
    days = [
        (day.start_at, row)
        for day in period.days
        for row in mart_sums.requests(source, day, "component")
    ]
    failed: defaultdict[str, int] = defaultdict(int)
    for _, row in days:
        failed[row["component"]] += row["failed"]
    worst = sorted(failed, key=lambda name: (-failed[name], name))[:_MOST_LINES]
    lines = [
        (at, row["component"], rounded(mart_sums.share(row["failed"], row["requests"]), 2))
        for at, row in days
        if row["component"] in worst
    ]
    return (
        Chart(
            "Requests that failed by day, %", "lines", "%", _DAY_S, tuple(lines), 2,
            (100 - objective, f"error budget {100 - objective:g} %"),
        ),
        Chart("Alerts by day", "bars", "alerts", _DAY_S, _by_day(period, week.fired)),
    )  # fmt: skip


def _by_day(period: ReportPeriod, fired: Rows) -> tuple[tuple[Any, str, int], ...]:
    counted: defaultdict[tuple[Any, str], int] = defaultdict(int)
    for alert in fired:
        at = aware(alert["fired_at"])
        start_at = max(day.start_at for day in period.days if day.start_at <= at)
        counted[start_at, alert["severity"]] += 1
    return tuple((at, severity, n) for (at, severity), n in sorted(counted.items()))


def _objectives(week: _Week, objective: float) -> Table:
    columns = (
        Column("Component"), Column("Requests", 0), Column("Failed", 0), Column("Available, %", 2),
        Column("Objective, %", 2), Column("Budget used in 30 d, %", 1), Column("Verdict"),
    )  # fmt: skip
    cells = []
    for row in sorted(
        week.by_component, key=lambda r: (mart_sums.available(r) or 0.0, r["component"])
    ):
        reached, budget = mart_sums.available(row), week.budgets.get(row["component"])
        met = "met" if (reached or 0.0) >= objective else "missed"
        used = budget.used_pct if budget else None
        cells.append(
            (row["component"], row["requests"], row["failed"], reached, objective, used, met)
        )
    return table("Objectives", columns, cells, empty="No component answered a request.", most=30)


def _rules(fired: Rows) -> Table:
    """How well alerts were dealt with, by rule."""
    by_rule: defaultdict[tuple[str, str], Rows] = defaultdict(list)
    for alert in fired:
        by_rule[alert["rule"], alert["severity"]].append(alert)
    columns = (
        Column("Rule"), Column("Severity"), Column("Fired", 0), Column("Acted on", 0),
        Column("Reopened", 0), Column("Acknowledged, min", 1), Column("Resolved, min", 1),
    )  # fmt: skip
    cells = [
        (
            rule, severity, len(rows), sum(r["is_acted_on"] for r in rows),
            sum(r["is_reopened"] for r in rows), _mean(rows, "acknowledged_minutes"), _mean(rows, "minutes"),
        )
        for (rule, severity), rows in by_rule.items()
    ]  # fmt: skip
    cells.sort(key=lambda cell: (-cell[2], cell[0]))
    return table("Alert rules", columns, cells, empty="No alert fired.")


def _routes(source: Source, period: ReportPeriod) -> Table:
    rows = mart_sums.requests(
        source, period, "component, method, route", "failed DESC, requests DESC, 1, 2, 3"
    )
    columns = (
        Column("Route"), Column("Component"), Column("Requests", 0), Column("Failed", 0),
        Column("Available, %", 2),
    )  # fmt: skip
    cells = [
        (f"{r['method']} {r['route']}", r["component"], r["requests"], r["failed"],
         mart_sums.available(r))
        for r in rows
        if r["failed"]
    ]  # fmt: skip
    return table("Routes that failed most", columns, cells, empty="No request failed.", most=10)


def _method(objective: float) -> tuple[str, ...]:
    return (
        f"The objective is {objective:g} % of requests over {_BUDGET_DAYS} days, for each component: "
        f"the error budget is the {100 - objective:g} % that may fail (Site Reliability Workbook, "
        "chapter 2). Its use is of the thirty days up to the end of the week.",
        "Requests are server spans; one failed when it ended with a status of 500 or more or with "
        "span status ERROR. Health checks and probes are not counted.",
        "Time to repair is the mean time from firing to resolution of critical alerts and warnings that "
        "fired in the week and are over; time to acknowledge likewise.",
        "Errors are counted by the UTC hours that begin in the period, each exception once.",
        "Figures come from the published copy for operations, in which nothing stands for a person.",
    )


KIND = ReportKind(
    "weekly-reliability",
    "Weekly reliability",
    "Objectives and error budgets, time to repair, top errors of a week.",
    Cadence.WEEKLY,
    "operations",
    say,
)
