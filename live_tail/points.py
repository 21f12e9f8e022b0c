"""Metric points of every name in the hot window, by series, within a bound of series.

Here: which series exist and their points in buckets, so that a rule on any metric works. Not here:
rates and quantiles (`live_tail/alerts/sources`), the host and service tables of the pages
(`window`). A series is metric, component, instance and labels; a series over the bound is not kept
and its points are counted in `dropped`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb

MAX_SERIES = 50_000
MAX_SERIES_PER_METRIC = 12_000
_FINE = timedelta(minutes=10)
SCHEMA = """
CREATE TABLE hot_series (key UBIGINT, series INTEGER);
CREATE TABLE hot_points (bucket_at TIMESTAMP, series INTEGER, last_at TIMESTAMP, start_at TIMESTAMP,
    last DOUBLE, low DOUBLE, high DOUBLE, total DOUBLE, n BIGINT);
CREATE TABLE hot_histograms (bucket_at TIMESTAMP, series INTEGER, last_at TIMESTAMP,
    start_at TIMESTAMP, n BIGINT, total DOUBLE, bounds DOUBLE[], counts BIGINT[]);
"""
TABLES = ("hot_points", "hot_histograms")
_COMMON = (
    "metric, component, component_instance, coalesce(environment, attributes['environment'])"
    " AS environment, host, bucket_at, event_at, start_at"
)
_STATES = ("system.cpu.state", "cpu.mode", "system.memory.state")
_EXPONENTIAL_BOUNDS = (
    "list_transform(range(len(positive_counts) + 1),"
    " i -> pow(2, (coalesce(positive_offset, 0) + i) / pow(2, scale)))"
)
_NOW = f"""
CREATE OR REPLACE TEMP TABLE points_now AS
WITH valued AS (SELECT * FROM fresh WHERE flags & 1 = 0),
spread AS (
    SELECT {_COMMON}, attributes, value,
        CASE WHEN kind = 'sum' AND is_monotonic AND temporality = 'delta' THEN 'delta'
            WHEN kind = 'sum' AND is_monotonic THEN 'cumulative' ELSE 'gauge' END AS shape,
        NULL::DOUBLE[] AS bounds, NULL::BIGINT[] AS counts, NULL::BIGINT AS point_count
    FROM valued WHERE kind IN ('gauge', 'sum') AND value IS NOT NULL AND NOT isnan(value)
    UNION ALL BY NAME
    SELECT {_COMMON}, attributes, point_sum AS value,
        CASE WHEN temporality = 'delta' THEN 'histogram_delta' ELSE 'histogram_cumulative' END AS shape,
        CASE WHEN kind = 'histogram' THEN explicit_bounds ELSE {_EXPONENTIAL_BOUNDS} END AS bounds,
        CASE WHEN kind = 'histogram' THEN bucket_counts
            ELSE list_concat(list_concat([coalesce(zero_count, 0)], positive_counts), [0]) END AS counts,
        point_count
    FROM valued WHERE kind IN ('histogram', 'exponential_histogram')
    UNION ALL BY NAME
    SELECT {_COMMON}, map_concat(attributes, MAP {{'quantile': q.quantile::VARCHAR}}) AS attributes,
        q.value AS value, 'gauge' AS shape
    FROM (SELECT *, unnest(quantiles) AS q FROM valued WHERE kind = 'summary')
)
SELECT *, hash(metric, component, component_instance, environment, host, attributes::VARCHAR, shape)
    AS key
FROM spread
"""


@dataclass(frozen=True)
class Series:
    """One series; `labels` are its attributes with component, environment and host."""

    metric: str
    labels: dict[str, str]
    shape: str


class Points:
    """The series of one window; `ingest` runs inside the window's transaction."""

    def __init__(self) -> None:
        self.series: list[Series] = []
        self.by_metric: dict[str, list[int]] = {}
        self.dropped = 0

    def ingest(self, con: duckdb.DuckDBPyConnection) -> None:
        """Take in the metric points of table `fresh`."""
        con.execute(_NOW)
        new = con.execute(
            "SELECT key, any_value(metric), any_value(shape), any_value(component),"
            " any_value(environment), any_value(host), any_value(attributes) FROM points_now"
            " WHERE key NOT IN (SELECT key FROM hot_series) GROUP BY key ORDER BY 2, key"
        ).fetchall()
        known = [
            (key, self._register(metric, shape, _labels(*rest)))
            for key, metric, shape, *rest in new
        ]
        kept = [(key, series) for key, series in known if series is not None]
        if kept:
            keys, numbers = zip(*kept, strict=True)
            con.execute("INSERT INTO hot_series SELECT unnest(?), unnest(?)", [keys, numbers])
        con.execute(
            "INSERT INTO hot_points SELECT bucket_at, series, max(event_at),"
            " max_by(start_at, event_at), max_by(value, event_at), min(value), max(value), sum(value),"
            " count(*) FROM points_now JOIN hot_series USING (key) WHERE bounds IS NULL"
            " GROUP BY bucket_at, series"
        )
        con.execute(
            "INSERT INTO hot_histograms SELECT bucket_at, series, event_at, start_at, point_count,"
            " value, bounds, counts FROM points_now JOIN hot_series USING (key)"
            " WHERE bounds IS NOT NULL"
        )
        if len(kept) < len(new):
            self.dropped += con.execute(
                "SELECT count(*) FROM points_now WHERE key NOT IN (SELECT key FROM hot_series)"
            ).fetchall()[0][0]

    def tidy(self, con: duckdb.DuckDBPyConnection, now: datetime) -> None:
        """Merge what is older than ten minutes by minute; forget series without points."""
        con.execute("BEGIN")
        con.execute(
            "CREATE OR REPLACE TEMP TABLE coarse AS SELECT time_bucket(INTERVAL 1 MINUTE, bucket_at)"
            " AS bucket_at, series, max(last_at), max_by(start_at, last_at), max_by(last, last_at),"
            " min(low), max(high), sum(total), sum(n)::BIGINT FROM hot_points WHERE bucket_at < ?"
            " GROUP BY 1, 2",
            [now - _FINE],
        )
        con.execute("DELETE FROM hot_points WHERE bucket_at < ?", [now - _FINE])
        con.execute("INSERT INTO hot_points FROM coarse")
        con.execute("COMMIT")
        alive = {
            row[0]
            for row in con.execute(
                "SELECT DISTINCT series FROM hot_points UNION SELECT series FROM hot_histograms"
            ).fetchall()
        }
        known = {s for some in self.by_metric.values() for s in some}
        gone = known - alive
        if gone:
            con.execute("DELETE FROM hot_series WHERE series IN (SELECT unnest(?))", [sorted(gone)])
            self.by_metric = {
                metric: left
                for metric, some in self.by_metric.items()
                if (left := [s for s in some if s not in gone])
            }

    def _register(self, metric: str, shape: str, labels: dict[str, str]) -> int | None:
        some = self.by_metric.get(metric, [])
        total = sum(map(len, self.by_metric.values())) if len(self.series) >= MAX_SERIES else 0
        if len(some) >= MAX_SERIES_PER_METRIC or total >= MAX_SERIES:
            return None
        self.series.append(Series(metric, labels, shape))
        self.by_metric.setdefault(metric, []).append(len(self.series) - 1)
        return len(self.series) - 1


def _labels(
    component: str, environment: str | None, host: str | None, attributes: dict[str, Any]
) -> dict[str, str]:
    # Old and new conventions name the state of a CPU or of memory differently: rules say `state`.
    state = next((attributes[n] for n in _STATES if n in attributes), None)
    known = {"component": component, "environment": environment, "host": host, "state": state}
    labels = {**known, **attributes}
    return {name: value for name, value in labels.items() if value}
