"""What is seen of hosts and senders: load, health checks, who sent what, and the door's own counts.

Here: rows of the hot tables that no span makes. Not here: series of any metric (`points`), evidence of
what is down (`evidence`).
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from live_tail.window.rows.arrow_columns import (
    Rows,
    bucket_of,
    equals,
    grouped,
    is_recorded,
    is_set,
    is_true,
    ones,
    only,
)

_CPU, _MEMORY = "system.cpu.utilization", "system.memory.utilization"
_LOAD = ("system.linux.cpu.load_1m", "system.cpu.load_average.1m")
_STATES = ("system.cpu.state", "cpu.mode", "system.memory.state", "state")


def sightings(signal: str, rows: Rows, time: str) -> pa.Table:
    """Who was heard, with version and environment; of history apart from the present."""
    columns = {
        "bucket_at": rows.bucket(time),
        "component": rows["component"],
        "version": rows["component_version"],
        "environment": rows["environment"],
        "instance": rows["component_instance"],
        "is_history": rows["is_history"],
        "items": ones(np.ones(rows.count)),
        "first": rows[time],
        "last": rows[time],
        "received": rows["received_at"],
    }
    seen = grouped(
        columns,
        ("bucket_at", "component", "instance", "is_history"),
        [
            ("version", "max"),
            ("environment", "max"),
            ("items", "sum"),
            ("first", "min"),
            ("last", "max"),
            ("received", "min"),
        ],
    )
    ordered = "bucket_at component version_max environment_max instance".split()
    made = seen.select(ordered).append_column("signal", pa.array([signal] * seen.num_rows))
    for name in ("is_history", "items_sum", "first_min", "last_max", "received_min"):
        made = made.append_column(name, seen[name])
    return made


def tables(rows: Rows) -> Iterator[tuple[str, pa.Table]]:
    """Load of hosts as sums and counts of points, and what the health-check service says of others."""
    rows = rows.where(is_recorded(rows) & np.isfinite(rows["value"].fill_null(np.nan).to_numpy()))
    if not rows.count:
        return
    is_load = equals(rows["metric"], _CPU, _MEMORY, *_LOAD)
    if is_load.any():
        yield "hot_host", _loads(rows.where(is_load))
    service = rows.attribute("service")
    # What a probe said of the past says nothing of now.
    is_up = (
        equals(rows["metric"], "tta_service_up") & is_set(service) & ~is_true(rows["is_history"])
    )
    if is_up.any():
        some = rows.where(is_up)
        yield (
            "hot_service_up",
            pa.table(
                {
                    "bucket_at": some.bucket("event_at"),
                    "service": some.attribute("service"),
                    "event_at": some["event_at"],
                    "value": some["value"],
                }
            ),
        )


def _loads(rows: Rows) -> pa.Table:
    state, value = rows.attribute(*_STATES), rows["value"]
    is_idle = equals(rows["metric"], _CPU) & equals(state, "idle")
    is_used = equals(rows["metric"], _MEMORY) & equals(state, "used")
    columns = {
        "bucket_at": rows.bucket("event_at"),
        "host": pc.coalesce(rows["host"], rows["component"]),
        "idle": only(value, is_idle),
        "used": only(value, is_used),
        "load": only(value, equals(rows["metric"], *_LOAD)),
    }
    figures = [(name, how) for name in ("idle", "used", "load") for how in ("sum", "count")]
    return grouped(columns, ("bucket_at", "host"), figures)


def ledger(rows: Rows) -> pa.Table:
    """Items at the door."""
    named = ("component", "signal", "outcome", "reason")
    columns = {name: rows[name] for name in (*named, "items")}
    columns["bucket_at"] = bucket_of(rows["received_at"])
    keys = ("bucket_at", *named)
    return grouped(columns, keys, [("items", "sum")])
