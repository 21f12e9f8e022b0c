"""Where rows come from: resources and scopes of a decoded batch, gated, as the columns every signal shares.

Here: promoted resource attributes, the component, scopes and who owns what is counted. Not here: walking
nested columns (`nested`), what an item is made of (`flatten`). Source: OpenTelemetry semantic conventions,
resource attributes.
"""

import json
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from ingestion.contracts.common import TIME
from ingestion.receivers.decoding.nested import children, field_of, none_if_empty, spread
from privacy.gate.counts import Owners
from privacy.gate.gate_columns import Gate

_UNKNOWN_SERVICE = "unknown_service"
_COMPONENT = ("service.name",)
_PROMOTED = {
    "component_version": ("service.version",),
    "component_instance": ("service.instance.id",),
    "host": ("host.name",),
    "environment": ("deployment.environment.name", "deployment.environment"),
}


@dataclass(frozen=True)
class Scopes:
    """The scope level of a request batch: the column below it, its origin columns and components."""

    column: pa.StructArray
    body_of_scope: np.ndarray
    origin: dict[str, pa.Array]
    owners: Owners


def open_scopes(batch: pa.RecordBatch, scopes_field: str, gate: Gate) -> Scopes:
    """Resources and scopes of a decoded batch, gated, one row per scope.

    The batch has one row per body; `scopes_field` is e.g. `scope_spans`. Raises TurnOver when the gate's
    turn is over.
    """
    resources, body_of_resource = children(batch.column(0))
    origin = _resource_columns(field_of(resources, "resource"), gate)
    scopes, resource_of_scope = children(resources.field(scopes_field))
    columns = dict(spread(origin, resource_of_scope))
    scope = field_of(scopes, "scope")
    owners = Owners.of(columns["component"])
    for name in ("name", "version"):
        given = none_if_empty(field_of(scope, name))
        columns[f"scope_{name}"] = gate.tokens(given, f"scope {name}", owners)
    return Scopes(scopes, body_of_resource[resource_of_scope], columns, owners)


def component_of(batch: pa.RecordBatch, gate: Gate) -> str:
    """The component of a decoded batch of one resource."""
    resources, _ = children(batch.column(0))
    return _resource_columns(field_of(resources, "resource"), gate)["component"][0].as_py()


def origin_of(scopes: Scopes, scope_of_row: np.ndarray, received_us: int) -> dict[str, pa.Array]:
    """The shared origin columns, a row for each of `scope_of_row`; `received_us` in UTC microseconds."""
    received = pa.array(np.full(len(scope_of_row), received_us, np.int64)).view(TIME)
    return {**spread(scopes.origin, scope_of_row), "received_at": received}


def _resource_columns(resource: pa.StructArray, gate: Gate) -> dict[str, pa.Array]:
    lists = field_of(resource, "attributes")
    if lists.null_count:
        lists = lists.fill_null([])
    rows: list[dict[str, str]] = []

    def find_owners(made: pa.MapArray) -> Owners:
        rows.extend(_rows_of(made))
        return Owners.of(_component_of(rows))

    if not len(gate.attributes(lists, "resource", find_owners).keys):
        rows = [{}] * len(lists)  # the gate asks for no owner where there is nothing to own
    columns = {
        name: pa.array([_first(row, keys) for row in rows], pa.string())
        for name, keys in _PROMOTED.items()
    }
    columns["component"] = _component_of(rows)
    columns["resource_attributes"] = pa.array(
        [json.dumps(row, sort_keys=True, ensure_ascii=False) for row in rows], pa.string()
    )
    return columns


def _rows_of(maps: pa.MapArray) -> list[dict[str, str]]:
    """Maps of text as dictionaries; a key that comes twice has its last value."""
    entries = list(zip(maps.keys.to_pylist(), maps.items.to_pylist(), strict=True))
    return [dict(entries[a:b]) for a, b in pairwise(maps.offsets.to_pylist())]


def _component_of(rows: list[dict[str, str]]) -> pa.Array:
    names = [_first(row, _COMPONENT) or _UNKNOWN_SERVICE for row in rows]
    return pa.array(names, pa.string())


def _first(row: dict[str, str], keys: tuple[str, ...]) -> str | None:
    return next((row[key] for key in keys if row.get(key)), None)
