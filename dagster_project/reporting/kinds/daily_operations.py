"""The daily report of operations: was everything all right, what failed, what was slow, what changed."""

from datetime import UTC, datetime
from typing import Any

from dagster_project.reporting.document.figures import (
    NOT_MEASURED,
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
from dagster_project.reporting.kinds.mart_sums import Rows
from dagster_project.reporting.kinds.report_source import ReportKind, Said, Source

_STEP_S = 1_800
_KNOWN_BY = {
    "fct_requests_minutely": "minute_at",
    "fct_ai_calls_minutely": "minute_at",
    "fct_errors_hourly": "hour_at",
    "fct_landed_items_hourly": "hour_at",
}
_QUANTILES = {"p50_ms": "p50", "p95_ms": "p95", "p99_ms": "p99"}


def say(source: Source, period: ReportPeriod) -> Said:
    """What a day was like; raises NoData."""
    mart_sums.check_known(source, period, _KNOWN_BY)
    objective = source.settings.reports.objective_pct
    whole = mart_sums.requests(source, period)[0]
    by_component = mart_sums.requests(source, period, "component", "failed DESC, requests DESC, 1")
    fired = mart_sums.alerts(source, period)
    state, verdict = _verdict(whole, by_component, fired, objective)
    return Said(
        state,
        verdict,
        _figures(source, period, whole, fired),
        _charts(source, period),
        _tables(source, period, by_component, fired),
        _method(objective),
    )


def _verdict(
    whole: dict[str, Any], by_component: Rows, fired: Rows, objective: float
) -> tuple[State, str]:
    critical = [alert for alert in fired if alert["severity"] == "critical"]
    open_ones = sum(alert["resolved_at"] is None for alert in critical)
    alerts = _count(len(critical), "critical alert") + " fired"
    alerts += f", {open_ones:,} not resolved" if open_ones else ""
    reached = rounded(mart_sums.available(whole), 2)
    if reached is None:
        state: State = "warning" if critical else "unknown"
        return state, f"No request was measured; {alerts}."
    answered = f"{told(reached, 2)} % of {whole['requests']:,} requests were answered"
    if reached < objective:
        worst = by_component[0]
        return "critical", (
            f"Below the objective of {objective:g} %: {answered}. Most failed in "
            f"{worst['component']}: {worst['failed']:,} of {worst['requests']:,}; {alerts}."
        )
    if critical:
        return "warning", f"The objective was met, with alerts: {answered}; {alerts}."
    return "ok", f"All well: {answered}; {alerts}."


def _count(number: int, thing: str) -> str:
    return f"{number or 'no'} {thing}{'' if number == 1 else 's'}"


def _figures(
    source: Source, period: ReportPeriod, whole: dict[str, Any], fired: Rows
) -> tuple[Figure, ...]:
    before = mart_sums.requests(source, period.previous)[0]
    calls, calls_before = (mart_sums.calls(source, p)[0] for p in (period, period.previous))
    fired_before = mart_sums.alerts(source, period.previous)
    missing = "No request was measured."
    return (
        figure(
            "Availability", mart_sums.available(whole), mart_sums.available(before), unit="%",
            digits=2, better="up", missing=missing,
        ),
        figure("Requests", whole["requests"], before["requests"], missing=missing),
        figure(
            "p95 latency", whole["p95_ms"], before["p95_ms"], unit="ms", digits=1, better="down",
            missing=missing,
        ),
        figure(
            "AI calls", calls["calls"], calls_before["calls"],
            missing="No call of an AI model was measured.",
        ),
        figure("Alerts", len(fired), len(fired_before), better="down"),
    )  # fmt: skip


def _charts(source: Source, period: ReportPeriod) -> tuple[Chart, ...]:
    steps = mart_sums.requests(source, period, order="bucket_at", step_s=_STEP_S)
    calls = mart_sums.calls(source, period, "model", "bucket_at, model", step_s=_STEP_S)
    outcomes = [
        (aware(row["bucket_at"]), name, value)
        for row in steps
        for name, value in (
            ("answered", row["requests"] - row["failed"]), ("failed", row["failed"]),
        )
    ]  # fmt: skip
    latency = [
        (aware(row["bucket_at"]), name, rounded(row[column], 1))
        for row in steps
        for column, name in _QUANTILES.items()
    ]
    asked = [(aware(row["bucket_at"]), row["model"] or "unknown", row["calls"]) for row in calls]
    return (
        Chart("Requests in half an hour", "bars", "requests", _STEP_S, tuple(outcomes)),
        Chart("Latency, ms", "lines", "ms", _STEP_S, tuple(latency), digits=1),
        Chart("AI calls in half an hour", "bars", "calls", _STEP_S, tuple(asked)),
    )


def _tables(
    source: Source, period: ReportPeriod, by_component: Rows, fired: Rows
) -> tuple[Table, ...]:
    return (
        component_table(by_component),
        _slowest(source, period),
        _models(source, period),
        error_table(mart_sums.errors(source, period)),
        alert_table(fired, period),
        release_table(mart_sums.releases(source, period), period),
        _telemetry(mart_sums.landed(source, period)),
    )


def component_table(rows: Rows) -> Table:
    """Components, those with the most failures first."""
    columns = (
        Column("Component"), Column("Requests", 0), Column("Failed", 0), Column("Available, %", 2),
        Column("p50, ms", 1), Column("p95, ms", 1),
    )  # fmt: skip
    cells = [
        (
            r["component"],
            r["requests"],
            r["failed"],
            mart_sums.available(r),
            r["p50_ms"],
            r["p95_ms"],
        )
        for r in rows
    ]
    return table("Components", columns, cells, empty="No component answered a request.")


def _slowest(source: Source, period: ReportPeriod) -> Table:
    by = "component, method, route"
    rows = mart_sums.requests(source, period, by, "p95_ms DESC NULLS LAST, 1, 2, 3")
    columns = (
        Column("Route"), Column("Component"), Column("Requests", 0), Column("Failed", 0),
        Column("p95, ms", 1), Column("p99, ms", 1),
    )  # fmt: skip
    cells = [
        (f"{r['method']} {r['route']}", r["component"], r["requests"], r["failed"], r["p95_ms"],
         r["p99_ms"])
        for r in rows
    ]  # fmt: skip
    return table("Slowest routes", columns, cells, empty="No request was measured.", most=10)


def _models(source: Source, period: ReportPeriod) -> Table:
    columns = (
        Column("Model"), Column("Provider"), Column("Calls", 0), Column("Failed", 0),
        Column("p95, ms", 1), Column("Tokens in", 0), Column("Tokens out", 0),
    )  # fmt: skip
    cells = [
        (r["model"], r["provider"], r["calls"], r["failed"], r["p95_ms"], r["input_tokens"],
         r["output_tokens"])
        for r in mart_sums.calls(source, period, "model, provider", "calls DESC, 1, 2")
    ]  # fmt: skip
    return table("AI models", columns, cells, empty="No call of an AI model was measured.")


def error_table(rows: Rows) -> Table:
    """Error groups by type and place in the code."""
    columns = (
        Column("Error"), Column("Place in the code"), Column("Component"), Column("Errors", 0),
        Column("First seen"), Column("Group"),
    )  # fmt: skip
    cells = [
        (r["type"] or "log record", r["code_place"], r["component"], r["errors"],
         "in this period" if r["is_new"] else "before", _short(r["group_key"]))
        for r in rows
    ]  # fmt: skip
    return table("Top errors", columns, cells, empty="No error happened.", most=10)


def _short(key: str) -> str:
    version, _, digits = key.rpartition(":")
    return f"{version}:{digits[:8]}" if version else digits[:8]


def alert_table(rows: Rows, period: ReportPeriod, title: str = "Alerts") -> Table:
    """What fired, critical first."""
    columns = (
        Column("Fired"), Column("Severity"), Column("Rule"), Column("Component"),
        Column("Acknowledged, min", 1), Column("Resolved, min", 1),
    )  # fmt: skip
    cells = [
        (period.local(aware(r["fired_at"])), r["severity"], r["rule"], r["component"] or NOT_MEASURED,
         r["acknowledged_minutes"], r["minutes"])
        for r in rows
    ]  # fmt: skip
    return table(title, columns, cells, empty="No alert fired.", most=25)


def release_table(rows: Rows, period: ReportPeriod) -> Table:
    """Releases that were first heard."""
    columns = (
        Column("First heard"), Column("Component"), Column("Version"), Column("Environment"),
    )  # fmt: skip
    cells = [
        (period.local(aware(r["first_seen_at"])), r["component"], r["version"], r["environment"])
        for r in rows
    ]
    return table("Releases", columns, cells, empty="No new release was heard.", most=20)


def _telemetry(rows: Rows) -> Table:
    names = ("arrived", "accepted", "rejected", "dropped", "repeated", "landed")
    columns = (Column("Signal"), *(Column(name.capitalize(), 0) for name in names))
    cells = [(r["signal"].replace("_", " "), *(r[name] for name in names)) for r in rows]
    return table("Telemetry by arrival", columns, cells, empty="Nothing arrived.")


def _method(objective: float) -> tuple[str, ...]:
    return (
        "Requests are server spans. A request failed when it ended with a status of 500 or more or "
        "with span status ERROR. Health checks and probes are not counted.",
        f"Availability is the share of requests that did not fail; its objective is {objective:g} %.",
        "Quantiles are estimated from histograms of log buckets, within 1 %, never above the longest.",
        "Errors are counted by the UTC hours that begin in the period, each exception once.",
        "Alerts count once for each time that a rule fired for a component.",
        "Figures come from the published copy for operations, in which nothing stands for a person.",
    )


def aware(moment: datetime) -> datetime:
    """A moment of the marts with its zone, UTC."""
    return moment.replace(tzinfo=UTC)


KIND = ReportKind(
    "daily-operations",
    "Daily operations",
    "Availability, latency, AI calls, errors and alerts of a day.",
    Cadence.DAILY,
    "operations",
    say,
)
