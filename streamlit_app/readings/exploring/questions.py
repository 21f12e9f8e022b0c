"""From a form to SQL: which figure, of which table, by what, over time or in all.

Here: pure functions; names are compared with the columns that there are before they become SQL. Not here:
asking (`explore`), the form (`views/explore`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from streamlit_app.readings import ranges, source
from streamlit_app.readings.exploring.explore import Tables
from streamlit_app.view import FILTERS, View

HISTOGRAM = "latency_histogram"
_LONGEST = "duration_ms_max"
_NUMBERS = ("BIGINT", "INTEGER", "DOUBLE", "FLOAT", "HUGEINT", "DECIMAL", "UBIGINT", "SMALLINT")
_SUMS = {"sum": "sum", "mean": "avg", "smallest": "min", "largest": "max"}
_QUANTILES = {"p50": ranges.P50, "p95": ranges.P95, "p99": ranges.P99}
_MOST_GROUPS = 200
_STEPS = {"minute_at": 60, "hour_at": 3_600, "week_on": 604_800}


@dataclass(frozen=True)
class Metric:
    """A figure that has a name, and where it comes from."""

    mart: str
    measure: str
    how: str


METRICS: Mapping[str, Metric] = {
    "Requests": Metric("fct_requests_minutely", "request_count", "sum"),
    "Failed requests": Metric("fct_requests_minutely", "error_count", "sum"),
    "Request latency, p95": Metric("fct_requests_minutely", HISTOGRAM, "p95"),
    "AI calls": Metric("fct_ai_calls_minutely", "call_count", "sum"),
    "AI latency, p95": Metric("fct_ai_calls_minutely", HISTOGRAM, "p95"),
    "Tokens out": Metric("fct_ai_calls_minutely", "output_tokens", "sum"),
    "Database latency, p95": Metric("fct_db_operations_minutely", HISTOGRAM, "p95"),
    "Errors by group": Metric("fct_errors_hourly", "error_count", "sum"),
}


@dataclass(frozen=True)
class Question:
    """What a form asks for; `by` and `only` may be empty, `only` is (column, value)."""

    mart: str
    measure: str
    how: str
    by: str = ""
    only: tuple[str, str] | None = None
    is_over_time: bool = True


def measures(columns: Mapping[str, str]) -> list[str]:
    """Columns that can be added up, and the histogram of latencies where there is one."""
    numbers = [name for name, kind in columns.items() if kind.startswith(_NUMBERS)]
    has_quantiles = HISTOGRAM in columns and _LONGEST in columns
    return [*([HISTOGRAM] if has_quantiles else []), *numbers]


def hows(measure: str) -> list[str]:
    """The ways to sum up a measure."""
    return list(_QUANTILES) if measure == HISTOGRAM else [*_SUMS, "count"]


def dimensions(columns: Mapping[str, str]) -> list[str]:
    """Columns to divide by."""
    return [name for name, kind in columns.items() if kind in {"VARCHAR", "BOOLEAN"}]


def time_of(columns: Mapping[str, str]) -> str | None:
    """The column that says when a row was; None where rows are of no time."""
    times = [n for n, kind in columns.items() if kind in {"TIMESTAMP", "DATE"}]
    return next((n for n in times if n in _STEPS), times[0] if times else None)


def chosen(asked: Mapping[str, str], tables: Tables) -> Question:
    """What an address asks for; what is not there falls back to the first that is."""
    if "mart" not in asked:
        asked = {**_first(tables), **asked}
    elif asked["mart"] not in tables:
        asked = {**asked, **_first(tables)}
    mart = asked["mart"]
    columns = tables[mart]
    measure = _among(asked.get("measure"), measures(columns))
    column, has_value, value = asked.get("only", "").partition(":")
    return Question(
        mart,
        measure,
        _among(asked.get("how"), hows(measure)) if measure else "count",
        asked["by"] if asked.get("by") in columns else "",
        (column, value) if has_value and column in columns else None,
        is_over_time=asked.get("over") != "total" and time_of(columns) is not None,
    )


def _first(tables: Tables) -> dict[str, str]:
    """The first metric that can be asked for, else the first table of facts."""
    for metric in METRICS.values():
        if metric.mart in tables:
            return {"mart": metric.mart, "measure": metric.measure, "how": metric.how}
    return {
        "mart": next((name for name in tables if not name.startswith("meta_")), next(iter(tables)))
    }


def _among(wanted: str | None, known: list[str]) -> str:
    return wanted if wanted in known else next(iter(known), "")  # type: ignore[return-value]


def step_s(question: Question, view: View, columns: Mapping[str, str]) -> int:
    """Seconds of a time bucket: never finer than the table is."""
    return max(view.step_s(60), _STEPS.get(time_of(columns) or "", 60))


def sql_of(question: Question, view: View, columns: Mapping[str, str]) -> str:
    """One SELECT with all values written out: `bucket_at` when over time, the group, and `value`."""
    names: dict[str, str] = {}
    time = time_of(columns)
    if question.is_over_time and time:
        step = step_s(question, view, columns)
        names["bucket_at"] = f"time_bucket(INTERVAL {step} SECONDS, {time}::TIMESTAMP)"
    if question.by:
        names[question.by] = f"coalesce({question.by}::VARCHAR, '')"
    order = "bucket_at" if "bucket_at" in names else "value DESC NULLS LAST"
    where = _where(question, view, columns)
    if question.measure == HISTOGRAM:
        told = {"value": _QUANTILES[question.how]}
        sql = ranges.with_quantiles(
            question.mart, names, {"row_count": "count(*)"}, where, order=order, quantiles=told
        )
    else:
        listed = ", ".join(
            [f"{e} AS {n}" for n, e in names.items()] + [f"{_sum(question)} AS value"]
        )
        sql = (
            f"SELECT {listed}\nFROM {question.mart}\nWHERE {where}\nGROUP BY ALL\nORDER BY {order}"
        )
    limit = f"\nLIMIT {_MOST_GROUPS}" if "bucket_at" not in names else ""
    return source.told(sql.strip() + limit, _values(question, view, _STEPS.get(time or "", 60)))


def _sum(question: Question) -> str:
    if question.how == "count" or not question.measure:
        return "count(*)"
    return f"{_SUMS[question.how]}({question.measure})"


def _where(question: Question, view: View, columns: Mapping[str, str]) -> str:
    time = time_of(columns)
    parts = [f"{time} >= $start AND {time} < $end"] if time else []
    parts += [f"{name} = ${name}" for name in FILTERS if getattr(view, name) and name in columns]
    if question.only:
        parts.append(f"{question.only[0]}::VARCHAR = $only_value")
    return " AND ".join(parts) or "true"


def _values(question: Question, view: View, step_s: int) -> dict[str, object]:
    """Values of the parameters; the range begins and ends with whole rows of the table."""
    first = int(view.start_at.timestamp()) // step_s * step_s
    last = -(-int(view.end_at.timestamp()) // step_s) * step_s
    ends = {"start": first, "end": last}
    values: dict[str, object] = {
        name: datetime.fromtimestamp(at, UTC).replace(tzinfo=None) for name, at in ends.items()
    }
    values |= {name: getattr(view, name) for name in FILTERS}
    return values | {"only_value": question.only[1] if question.only else None}
