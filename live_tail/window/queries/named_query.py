"""What a named query is, the parameters that many share, and SQL that many are made of.

Here: words of queries. Not here: the queries (modules beside this one), running them (`asking`). A
quantile is read from log buckets, is within 1 % of the exact value, and never above the longest
(`ingestion/meaning/histograms`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from ingestion.meaning.histograms import quantile_sql
from live_tail.window.recent.recent import Recent
from live_tail.window.rows.arrow_columns import BUCKET_S

Values = Mapping[str, int | str | None]
Prepared = Callable[[Recent, Values], Mapping[str, pa.Table]]


class BadQuery(ValueError):
    """A parameter is wrong; the message names it and what it takes."""


@dataclass(frozen=True)
class Parameter:
    """One parameter: an integer within bounds, or a text."""

    description: str
    default: int | str | None = None
    low: int = 0
    high: int = 0


@dataclass(frozen=True)
class NamedQuery:
    """A query by name.

    `sql` takes $start, $end, $now, $seconds, $step_s and its own parameters; `prepare` makes tables that it
    names beside those of the window.
    """

    description: str
    sql: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    prepare: Prepared | None = None


_LATEST_S = 2**33
MINUTES = Parameter("Minutes back from now.", 15, 1, 1_440)
STEP = Parameter("Width of a time bucket, seconds.", 60, BUCKET_S, 86_400)
START = Parameter("Begin, seconds since 1970, in place of minutes.", None, 0, _LATEST_S)
END = Parameter("End, seconds since 1970; now unless told.", None, 0, _LATEST_S)
COMPONENT = Parameter("Only this component.", None)
LIMIT = Parameter("Rows.", 50, 1, 1_000)
WORDS = Parameter("Only what holds each of these words.", None)
TIMED = {"minutes": MINUTES, "start_at": START, "end_at": END, "component": COMPONENT}
STEPPED = {**TIMED, "step_s": STEP}
RELEASED = {
    "environment": Parameter("Only this environment.", None),
    "version": Parameter("Only this release.", None),
}
ROUTE = {"route": Parameter("Only this route.", None)}
MODEL = {"model": Parameter("Only this model.", None)}
STEP_SQL = "time_bucket(to_seconds($step_s), bucket_at)"
P50, P95, P99 = (quantile_sql(q, bucket="log_bucket") for q in (0.5, 0.95, 0.99))


def where(parameters: Mapping[str, Parameter], *columns: str, time: str = "bucket_at") -> str:
    """SQL: within the range, and as the parameters of these names ask."""
    asked = [f"({only(name)})" for name in ("component", *columns) if name in parameters]
    return " AND ".join([f"{time} >= $start AND {time} < $end", *asked])


def only(name: str, column: str | None = None) -> str:
    """SQL: a column is what a parameter says, if it says anything."""
    return f"${name} IS NULL OR {column or name} = ${name}"


def words(*columns: str) -> str:
    """SQL: each word of parameter q stands in one of the columns."""
    text = " || ' ' || ".join(f"coalesce({column}, '')" for column in columns)
    every = "list_filter(string_split(lower($q), ' '), lambda w: w <> '')"
    has = f"len(list_filter({every}, lambda w: NOT contains(lower({text}), w))) = 0"
    return f"($q IS NULL OR {has})"


def quantiles(
    table: str, groups: Sequence[str], condition: str, *, count: str, extra: Mapping[str, str] = {}
) -> str:
    """Counts and quantiles of a table by groups (`expression AS name`).

    `extra` are further columns by name, each an aggregate over partial aggregates: sum, max or any other
    that may be applied twice.
    """
    names = [g.rpartition(" AS ")[2] for g in groups]
    by = f"PARTITION BY {', '.join(names)}" if names else ""
    lead = "".join(f"{name}, " for name in names)
    select = "".join(f"{group}, " for group in groups)
    inner = "".join(f", {how}({column}) AS {name}" for name, (how, column) in _parts(extra))
    outer = "".join(f", {_whole(how, name)} AS {name}" for name, (how, _) in _parts(extra))
    return f"""
    WITH buckets AS (
        SELECT {select}log_bucket, sum({count}) AS n, sum(error_count) AS errors,
            max(ms_max) AS longest_ms{inner}
        FROM {table} WHERE {condition} GROUP BY {lead}log_bucket
    ),
    running AS (
        SELECT *, sum(n) OVER ({by} ORDER BY log_bucket) AS so_far, sum(n) OVER ({by}) AS total
        FROM buckets
    )
    SELECT {lead}coalesce(sum(n), 0)::BIGINT AS {count},
        coalesce(sum(errors), 0)::BIGINT AS error_count,
        {P50} AS p50_ms, {P95} AS p95_ms, {P99} AS p99_ms{outer}
    FROM running {f"GROUP BY {', '.join(names)}" if names else ""}
    """


def _parts(extra: Mapping[str, str]) -> list[tuple[str, tuple[str, str]]]:
    return [
        (name, (how, column))
        for name, told in extra.items()
        for how, _, column in [told.partition(" ")]
    ]


def _whole(how: str, name: str) -> str:
    # Sums of whole numbers are told as such.
    return (
        f"sum({name})::BIGINT"
        if how == "sum" and not name.endswith(("_sum", "_ms"))
        else f"{how}({name})"
    )
