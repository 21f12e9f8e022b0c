"""What the series and spans of a test file become: rows as they land, each at its time.

Here: promtool's notation, and rows of telemetry made of it. Not here: the form of the file
(`promtest_files`), running it (`promtest`).
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from ingestion.contracts import LANDED
from live_tail.alerts.trials.promtest_files import (
    BadTestFile,
    Case,
    SeriesInput,
    SpanInput,
)

Row = dict[str, Any]
Fact = tuple[timedelta, str, Row]
START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
"""When a test begins: a Monday at noon."""
_SERIES = re.compile(r"^\s*([A-Za-z_:][\w:.]*)\s*(?:\{(.*)\})?\s*$")
_LABEL = re.compile(r'\s*([A-Za-z_][\w.]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_STEP = re.compile(r"^(-?[\d.]+(?:e-?\d+)?)(?:([+-])([\d.]+(?:e-?\d+)?))?x(\d+)$")
_REPEAT = re.compile(r"^_x(\d+)$")


def expand(text: str) -> list[float | None]:
    """Promtool's notation as values, None where there is no sample; raises ValueError."""
    values: list[float | None] = []
    for part in text.split():
        if part in {"_", "stale"}:
            values.append(None)
        elif blank := _REPEAT.match(part):
            values += [None] * int(blank[1])
        elif found := _STEP.match(part):
            first, step = float(found[1]), float(found[3] or 0)
            step = -step if found[2] == "-" else step
            values += [first + step * n for n in range(int(found[4]) + 1)]
        else:
            values.append(float(part))
    return values


def facts_of(file: str, case: Case) -> list[Fact]:
    """What arrives in a case: how long after its beginning, signal, row. Raises BadTestFile."""
    found: list[Fact] = []
    try:
        for series in case.input_series:
            found += _points(series, case.interval)
    except ValueError as error:
        raise BadTestFile(f"{file}: {case.name}: input_series: {error}.") from None
    for number, span in enumerate(case.input_spans):
        found += _spans(span, number)
    return found


def _points(series: SeriesInput, interval: timedelta) -> list[Fact]:
    match = _SERIES.match(series.series)
    if not match:
        raise ValueError(f'{series.series!r} must look like name{{label="value"}}')
    labels = dict(_LABEL.findall(match[2] or ""))
    metric = match[1]
    kind = series.kind or ("counter" if metric.endswith(("_total", "_count", "_sum")) else "gauge")
    found = []
    for number, value in enumerate(expand(series.values)):
        if value is None:
            continue
        at = number * interval
        row = {
            "metric": metric,
            "kind": "gauge" if kind == "gauge" else "sum",
            "temporality": {"counter": "cumulative", "delta": "delta"}.get(kind),
            "is_monotonic": None if kind == "gauge" else True,
            "event_at": (START + at).replace(tzinfo=None),
            "component": labels.get("component", "test"),
            "environment": labels.get("environment"),
            "host": labels.get("host"),
            "attributes": [(k, v) for k, v in labels.items() if k not in _COLUMNS],
            "value": value,
        }
        found.append((at, "metric_points", row))
    return found


_COLUMNS = {"component", "environment", "host"}


def _spans(span: SpanInput, number: int) -> list[Fact]:
    found = []
    at, count = span.start, 0
    while at < span.to:
        count += 1
        begun = (START + at).replace(tzinfo=None)
        events = [("exception.type", span.exception_type)] if span.exception_type else []
        row = {
            "trace_id": (number * 1_000_000 + count).to_bytes(16, "big"),
            "span_id": (number * 1_000_000 + count).to_bytes(8, "big"),
            "name": span.name,
            "kind": span.kind,
            "start_at": begun,
            "duration_ns": int(span.duration.total_seconds() * 1e9),
            "status_code": span.status,
            "component": span.component,
            "attributes": [(k, str(v)) for k, v in span.attributes.items()],
            "events": [{"event_at": begun, "name": "exception", "attributes": events}]
            if events
            else [],
        }
        found.append((at, "spans", row))
        at += span.every
    return found


def landed(signal: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as a landed table; what a row lacks is empty."""
    schema = LANDED[signal]
    times = {"spans": "start_at", "metric_points": "event_at", "logs": "event_at"}
    defaults: dict[str, Any] = {
        "resource_attributes": "{}", "attributes": [], "events": [], "links": [], "exemplars": [],
        "flags": 0, "severity_number": 0,
    }  # fmt: skip
    full = [{**defaults, "received_at": row[times[signal]], **row} for row in rows]
    return pa.Table.from_pylist(
        [{n: row.get(n) for n in schema.names} for row in full], schema=schema
    )
