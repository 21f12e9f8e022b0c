"""What the published counts of the gate say about unknown attributes.

Here: which attributes wait for a decision. Not here: deciding (`privacy/site_policy`), the counts
(`dbt/models/marts/platform/fct_gate_decisions_hourly.sql`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb

from privacy.gate.attribute_names import OTHER, is_hidden_name

UNKNOWN_SQL = """
    SELECT field, sum(value_count)::BIGINT AS value_count,
        list(DISTINCT component ORDER BY component) AS components,
        list(DISTINCT signal ORDER BY signal) AS signals,
        min(hour_at) AS first_at, max(hour_at) AS last_at
    FROM fct_gate_decisions_hourly WHERE treatment = 'unknown' GROUP BY field
    ORDER BY value_count DESC, field
"""
_HIDDEN_LENGTH = 13


@dataclass(frozen=True)
class Waiting:
    """An attribute that is dropped because nobody decided about it.

    `name` is what a decision names; `shape` is set when the name itself is not shown.
    """

    name: str
    shape: str
    value_count: int
    components: tuple[str, ...]
    signals: tuple[str, ...]
    first_at: datetime
    last_at: datetime


def waiting(con: duckdb.DuckDBPyConnection, decided: Mapping[str, object]) -> list[Waiting]:
    """Attributes that wait, most values first; `con` is open on a published copy."""
    return [found for row in con.execute(UNKNOWN_SQL).fetchall() if (found := waits(row, decided))]


def waits(row: tuple, decided: Mapping[str, object]) -> Waiting | None:
    """A row of `UNKNOWN_SQL` as what waits; None when somebody decided or it stands for many."""
    field, count, components, signals, first_at, last_at = row
    name, shape = field, ""
    if is_hidden_name(field[:_HIDDEN_LENGTH]):
        name, shape = field[:_HIDDEN_LENGTH], field[_HIDDEN_LENGTH + 1 :]
    if name in decided or field == OTHER:
        return None
    return Waiting(name, shape, count, tuple(components), tuple(signals), first_at, last_at)
