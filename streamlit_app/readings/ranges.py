"""Where the answer about a range comes from, and how wide its buckets are.

Here: the live window or the marts, bounds and filters of a view for either, SQL that questions to the marts
share. Not here: asking (`source`), questions. Live buckets are 5 s, those of marts a minute: a range of marts
begins with the minute that holds its start and ends with the one that holds its end.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ingestion.meaning.histograms import quantile_interval_sql, quantile_sql
from streamlit_app.readings import source
from streamlit_app.view import View

_LIVE_STEP_S, _MARTS_STEP_S = 5, 60
# A page is drawn a little after its range was read from the address.
_SLACK = timedelta(seconds=90)
P50, P95, P99 = (quantile_sql(q, bucket="bucket") for q in (0.5, 0.95, 0.99))
LOW95, HIGH95 = quantile_interval_sql(0.95, bucket="bucket")
RELEASED = ("component", "environment", "version")


def is_live(view: View) -> bool:
    """Whether the live window holds the whole range."""
    reaches = timedelta(minutes=source.settings().live.window_minutes) + _SLACK
    return view.start_at >= now() - reaches


def now() -> datetime:
    """This moment, UTC."""
    return datetime.now(UTC)


def step_s(view: View) -> int:
    """Seconds of a time bucket of this view's answers."""
    return view.step_s(_LIVE_STEP_S if is_live(view) else _MARTS_STEP_S)


def asked(view: View, *filters: str) -> dict[str, int | str | None]:
    """Parameters of a live query: the range, and these filters of the view."""
    end_at = None if view.ends_now else int(view.end_at.timestamp())
    values = {name: getattr(view, name) for name in filters}
    return {"start_at": int(view.start_at.timestamp()), "end_at": end_at, **values}


def bound(view: View, *filters: str) -> dict[str, Any]:
    """Parameters of a question to the marts: `start`, `end` (whole minutes UTC, without zone), filters."""
    start = view.start_at.replace(second=0, microsecond=0)
    end = -(-int(view.end_at.timestamp()) // 60) * 60
    values = {name: getattr(view, name) for name in filters}
    end_at = datetime.fromtimestamp(end, UTC)
    return {"start": start.replace(tzinfo=None), "end": end_at.replace(tzinfo=None), **values}


def within(*filters: str, time: str = "minute_at") -> str:
    """SQL: in the range, and as the filters say that are set."""
    chosen = [f"(${name} IS NULL OR {name} = ${name})" for name in filters]
    return " AND ".join([f"{time} >= $start AND {time} < $end", *chosen])


def bucketed(view: View, time: str = "minute_at") -> str:
    """SQL: the time bucket of a column, as `bucket_at` with its zone."""
    return f"time_bucket(INTERVAL {step_s(view)} SECONDS, {time})::TIMESTAMP"


def with_quantiles(
    table: str,
    names: Mapping[str, str],
    measures: Mapping[str, str],
    where: str,
    *,
    order: str,
    quantiles: Mapping[str, str] | None = None,
) -> str:
    """SQL: measures (aggregates by name) and quantiles of a mart with histograms, by groups."""
    groups = _listed(names)
    keys = ", ".join(names)
    lead = f"{keys}, " if names else ""
    by = f"PARTITION BY {keys}" if names else ""
    told = quantiles or {"p50_ms": P50, "p95_ms": P95, "p99_ms": P99}
    joined = f"LEFT JOIN quantiles USING ({keys})" if names else "CROSS JOIN quantiles"
    return f"""
WITH chosen AS (SELECT * FROM {table} WHERE {where}),
counts AS (SELECT {groups}{_listed(measures, last=True)} FROM chosen GROUP BY ALL),
entries AS (SELECT {groups}duration_ms_max, unnest(map_entries(latency_histogram)) AS entry FROM chosen),
buckets AS (
    SELECT {lead}entry.key AS bucket, sum(entry.value) AS n, max(duration_ms_max) AS longest_ms
    FROM entries GROUP BY {lead}entry.key
),
running AS (
    SELECT *, sum(n) OVER ({by} ORDER BY bucket) AS so_far, sum(n) OVER ({by}) AS total FROM buckets
),
quantiles AS (SELECT {lead}{_listed(told, last=True)} FROM running {"GROUP BY ALL" if names else ""})
SELECT * FROM counts {joined} ORDER BY {order}"""


def _listed(named: Mapping[str, str], *, last: bool = False) -> str:
    listed = ", ".join(f"{expression} AS {name}" for name, expression in named.items())
    return listed if last or not listed else listed + ", "


def same(*names: str) -> dict[str, str]:
    """Columns by their own name; release and environment of before they were told are empty."""
    return {
        n: f"coalesce({n}, '')" if n in {"version", "environment", "statement"} else n
        for n in names
    }
