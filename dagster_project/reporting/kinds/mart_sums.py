"""What daily and weekly reports ask the operations copy alike: requests, calls, errors, alerts.

Here: SQL with its parameters, one function for each question, rows as dictionaries. Not here: what is made of
them. Requests that always say "healthy" and probes prove nothing and are not counted
(`ingestion/meaning/signals.yaml`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from dagster_project.reporting.document.report_periods import ReportPeriod
from dagster_project.reporting.kinds.report_source import NoData, Source
from ingestion.meaning.histograms import quantile_sql
from ingestion.meaning.signals import load_signals

Rows = list[dict[str, Any]]
_IN = "minute_at >= $start AND minute_at < $end"
_REQUESTS = f"{_IN} AND NOT regexp_matches(lower(route), $unasked)"
_COUNTS = {
    "requests": "sum(request_count)::BIGINT",
    "failed": "sum(error_count)::BIGINT",
}
_CALLS = {
    "calls": "sum(call_count)::BIGINT",
    "failed": "sum(error_count)::BIGINT",
    "input_tokens": "sum(input_tokens)::BIGINT",
    "output_tokens": "sum(output_tokens)::BIGINT",
}
_FIRED = "coalesce(fired_at, started_at, updated_at)"


def requests(
    source: Source, period: ReportPeriod, by: str = "", order: str = "1", *, step_s: int = 0
) -> Rows:
    """requests, failed, p50_ms, p95_ms, p99_ms by columns of the mart, and by `bucket_at` with a step."""
    sql = _measured("fct_requests_minutely", _groups(by, step_s), _COUNTS, _REQUESTS, order)
    return source.ask(sql, period, unasked=unasked())


def calls(
    source: Source, period: ReportPeriod, by: str = "", order: str = "1", *, step_s: int = 0
) -> Rows:
    """calls, failed, input_tokens, output_tokens and quantiles of calls of AI models, likewise."""
    sql = _measured("fct_ai_calls_minutely", _groups(by, step_s), _CALLS, _IN, order)
    return source.ask(sql, period)


def errors(source: Source, period: ReportPeriod) -> Rows:
    """Error groups by how often they happened: code_place, type, component, group_key, errors, is_new.

    What an exception said is no part of a report: such texts are kept for a shorter time than reports.
    """
    sql = """
        SELECT group_key, any_value(g.exception_type) AS type, any_value(g.culprit) AS code_place,
            arg_max(e.component, e.error_count) AS component, sum(e.error_count)::BIGINT AS errors,
            coalesce(bool_or(g.first_seen_at >= $start), false) AS is_new, any_value(g.state) AS state
        FROM fct_errors_hourly e LEFT JOIN dim_error_groups g USING (group_key)
        WHERE hour_at >= $start AND hour_at < $end GROUP BY group_key ORDER BY errors DESC, group_key"""
    return source.ask(sql, period)


def alerts(source: Source, period: ReportPeriod) -> Rows:
    """Episodes that fired in the period: fired_at, rule, component, severity, minutes (to resolution)."""
    sql = f"""
        SELECT {_FIRED} AS fired_at, rule, component, severity, is_acted_on, is_reopened, resolved_at,
            date_diff('second', fired_at, resolved_at) / 60.0 AS minutes,
            date_diff('second', fired_at, acknowledged_at) / 60.0 AS acknowledged_minutes
        FROM fct_alert_episodes WHERE {_FIRED} >= $start AND {_FIRED} < $end
        ORDER BY CASE severity WHEN 'critical' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, 1, rule"""
    return source.ask(sql, period)


def releases(source: Source, period: ReportPeriod) -> Rows:
    """component, version, environment, first_seen_at of releases that were first heard in the period."""
    sql = """
        SELECT component, version, environment, first_seen_at FROM dim_releases
        WHERE version <> '' AND first_seen_at >= $start AND first_seen_at < $end ORDER BY 4, 1, 2"""
    return source.ask(sql, period)


def landed(source: Source, period: ReportPeriod) -> Rows:
    """signal, arrived, accepted, rejected, dropped, repeated, landed: items by arrival."""
    sql = """
        SELECT signal, sum(arrived_items)::BIGINT AS arrived, sum(accepted_items)::BIGINT AS accepted,
            sum(rejected_items)::BIGINT AS rejected, sum(dropped_items)::BIGINT AS dropped,
            sum(duplicate_items)::BIGINT AS repeated, sum(landed_items)::BIGINT AS landed
        FROM fct_landed_items_hourly WHERE hour_at >= $start AND hour_at < $end
        GROUP BY signal ORDER BY signal"""
    return source.ask(sql, period)


def check_known(source: Source, period: ReportPeriod, times: Mapping[str, str]) -> None:
    """Raise NoData when none of these marts (time column by name) has a row of the period."""
    for mart, at in times.items():
        if source.ask(f"SELECT 1 FROM {mart} WHERE {at} >= $start AND {at} < $end LIMIT 1", period):
            return
    spans = ", ".join(f"(SELECT min({at}) FROM {mart})" for mart, at in times.items())
    first = source.one(f"SELECT least({spans}) AS first", period)["first"]
    since = f"there are data since {first:%Y-%m-%d %H:%M} UTC" if first else "there are no data yet"
    raise NoData(f"nothing is known of {period.label}: {since}.")


def share(part: float | None, whole: float | None) -> float | None:
    """Percent; None of nothing."""
    return 100.0 * (part or 0) / whole if whole else None


def available(row: Mapping[str, Any]) -> float | None:
    """Requests that did not fail, percent."""
    failed = share(row.get("failed"), row.get("requests"))
    return None if failed is None else 100.0 - failed


def unasked() -> str:
    """The pattern of routes that are not counted as requests."""
    signals = load_signals()
    every: Sequence[str] = (*signals.ignored_routes, *signals.probe_routes)
    return "|".join(f"(?:{pattern})" for pattern in every)


def _groups(by: str, step_s: int) -> dict[str, str]:
    """Expressions by name."""
    names = {name: name for name in by.split(", ") if name}
    if not step_s:
        return names
    return {
        "bucket_at": f"time_bucket(INTERVAL {step_s} SECONDS, minute_at)::TIMESTAMP", **names
    }  # fmt: skip


def _measured(
    mart: str, by: Mapping[str, str], sums: Mapping[str, str], where: str, order: str
) -> str:
    """SQL: sums and quantiles of a mart with histograms, by groups."""
    names = ", ".join(by)
    listed = ", ".join(f"{expression} AS {name}" for name, expression in by.items())
    lead, keys = (f"{listed}, ", f"{names}, ") if by else ("", "")
    within = f"PARTITION BY {names}" if by else ""
    told = ", ".join(
        f"{quantile_sql(q, bucket='bucket')} AS {name}"
        for q, name in ((0.5, "p50_ms"), (0.95, "p95_ms"), (0.99, "p99_ms"))
    )
    summed = ", ".join(f"{expression} AS {name}" for name, expression in sums.items())
    return f"""
WITH chosen AS (SELECT * FROM {mart} WHERE {where}),
counts AS (SELECT {lead}{summed} FROM chosen GROUP BY ALL),
entries AS (SELECT {lead}duration_ms_max, unnest(map_entries(latency_histogram)) AS entry FROM chosen),
buckets AS (
    SELECT {keys}entry.key AS bucket, sum(entry.value) AS n, max(duration_ms_max) AS longest_ms
    FROM entries GROUP BY {keys}entry.key
),
running AS (
    SELECT *, sum(n) OVER ({within} ORDER BY bucket) AS so_far, sum(n) OVER ({within}) AS total
    FROM buckets
),
quantiles AS (SELECT {keys}{told} FROM running {"GROUP BY ALL" if by else ""})
SELECT * FROM counts {f"LEFT JOIN quantiles USING ({names})" if by else "CROSS JOIN quantiles"}
ORDER BY {order}"""
