"""Running a named query: its parameters judged and bound, its rows as dictionaries.

Here: everything between a name and an answer. Not here: the queries (`catalogue`), HTTP (`live_tail/http`).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from live_tail.window.queries.catalogue import QUERIES
from live_tail.window.queries.named_query import BadQuery, NamedQuery, Parameter, Values
from live_tail.window.window import Window

MAX_ROWS = 20_000
_TABLE = re.compile(r"\b(?:hot|recent)_\w+")
_BOUND = re.compile(r"\$(\w+)")


def run_query(window: Window, name: str, given: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rows of a named query; raises KeyError for an unknown name and BadQuery for parameters."""
    query = QUERIES[name]
    values = _values(query, given)
    bound = {**values, **_range(window, values)}
    used = {key: bound.get(key) for key in _BOUND.findall(query.sql)}
    prepared = query.prepare(window.recent, values) if query.prepare else {}
    cursor = window.cursor(*(t for t in tables_in(query.sql) if t not in prepared))
    try:
        for table, rows in prepared.items():
            cursor.register(table, rows)
        result = cursor.execute(query.sql, used)
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchmany(MAX_ROWS)]
    finally:
        cursor.close()


def tables_in(sql: str) -> tuple[str, ...]:
    """The tables of the window that a statement names."""
    return tuple(sorted(set(_TABLE.findall(sql))))


def _range(window: Window, values: Values) -> dict[str, Any]:
    """Start, end and length of what is asked for; an end that nobody named is after what is now."""
    now = window.now()
    end = _moment(values.get("end_at")) or now + timedelta(microseconds=1)
    minutes = values.get("minutes") or window.minutes
    start = _moment(values.get("start_at"))
    if start is None:
        start = (_moment(values.get("end_at")) or now) - timedelta(minutes=int(minutes))
    if start >= end:
        raise BadQuery("start_at must lie before end_at")
    seconds = round((end - start) / timedelta(seconds=1), 3)
    return {"now": now, "start": start, "end": end, "seconds": seconds}


def _moment(seconds: int | str | None) -> datetime | None:
    return (
        None if seconds is None else datetime.fromtimestamp(int(seconds), UTC).replace(tzinfo=None)
    )


def _values(query: NamedQuery, given: Mapping[str, str]) -> dict[str, int | str | None]:
    unknown = sorted(set(given) - set(query.parameters))
    if unknown:
        raise BadQuery(
            f"unknown parameter {', '.join(unknown)}: this query takes "
            f"{', '.join(query.parameters) or 'none'}"
        )
    return {name: _value(name, spec, given.get(name)) for name, spec in query.parameters.items()}


def _value(name: str, spec: Parameter, text: str | None) -> int | str | None:
    if text is None or text == "":
        return spec.default
    if not spec.high:
        return text
    try:
        number = int(text)
    except ValueError:
        raise BadQuery(f"{name} must be a whole number from {spec.low} to {spec.high}") from None
    if not spec.low <= number <= spec.high:
        raise BadQuery(f"{name} must be from {spec.low} to {spec.high}")
    return number
