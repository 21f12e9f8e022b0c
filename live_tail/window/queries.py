"""Asking a named query of the hot window: the whole read API of the live tail.

Here: checking parameters, running. Not here: names, parameters and SQL (`named_queries`), HTTP
(`live_tail/http`), tables (`window`).
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from live_tail.window.named_queries import QUERIES, NamedQuery, Parameter
from live_tail.window.window import Window

MAX_ROWS = 20_000
_TABLE = re.compile(r"\bhot_\w+")


class BadQuery(ValueError):
    """A parameter is wrong; the message names it and what it takes."""


def run_query(window: Window, name: str, given: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rows of a named query; raises KeyError for an unknown name and BadQuery for parameters."""
    query = QUERIES[name]
    values = _values(query, given)
    now = window.now()
    minutes = values.get("minutes") or window.minutes
    bound = {
        **values,
        "now": now,
        "start": now - timedelta(minutes=int(minutes)),
        "seconds": int(minutes) * 60.0,
        "component": values.get("component"),
    }
    used = {key: value for key, value in bound.items() if f"${key}" in query.sql}
    cursor = window.cursor(*tables_in(query.sql))
    try:
        result = cursor.execute(query.sql, used)
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchmany(MAX_ROWS)]
    finally:
        cursor.close()


def tables_in(sql: str) -> tuple[str, ...]:
    """The hot tables that a statement names."""
    return tuple(sorted(set(_TABLE.findall(sql))))


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
