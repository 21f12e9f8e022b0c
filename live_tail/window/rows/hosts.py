"""What is seen of hosts and senders: load, health checks, who sent what, and the door's own counts.

Here: rows of the hot tables that no span makes. Not here: series of any metric (`points`), evidence of
what is down (`evidence`).
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from live_tail.window.rows.columns import Rows, bucket_of, equals, grouped, is_set, ones, only

_CPU, _MEMORY = "system.cpu.utilization", "system.memory.utilization"
_LOAD = ("system.linux.cpu.load_1m", "system.cpu.load_average.1m")
_STATES = ("system.cpu.state", "cpu.mode", "system.memory.state", "state")


def sightings(signal: str, rows: Rows, time: str) -> pa.Table:
    """Who was heard, with version and environment."""
    columns = {
        "bucket_at": rows.bucket(time),
        "component": rows["component"],
        "version": rows["component_version"],
        "environment": rows["environment"],
        "instance": rows["component_instance"],
        "items": ones(np.ones(rows.count)),
        "first": rows[time],
        "last": rows[time],
        "received": rows["received_at"],
    }
    seen = grouped(
        columns,
        ("bucket_at", "component", "instance"),
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
    for name in ("items_sum", "first_min", "last_max", "received_min"):
        made = made.append_column(name, seen[name])
    return made


def tables(rows: Rows) -> Iterator[tuple[str, pa.Table]]:
    """Load of hosts, and what the health-check service says of others."""
    is_load = equals(rows["metric"], _CPU, _MEMORY, *_LOAD)
    if is_load.any():
        yield "hot_host", _loads(rows.where(is_load))
    service = rows.attribute("service")
    is_up = equals(rows["metric"], "tta_service_up") & is_set(service)
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
    means = [(name, "mean") for name in ("idle", "used", "load")]
    found = grouped(columns, ("bucket_at", "host"), means)
    busy = pc.multiply(pc.subtract(1.0, found["idle_mean"]), 100.0)
    return pa.table(
        {
            "bucket_at": found["bucket_at"],
            "host": found["host"],
            "cpu": busy,
            "memory": pc.multiply(found["used_mean"], 100.0),
            "load": found["load_mean"],
        }
    )


def ledger(rows: Rows) -> pa.Table:
    """Items at the door."""
    named = ("component", "signal", "outcome", "reason")
    columns = {name: rows[name] for name in (*named, "items")}
    columns["bucket_at"] = bucket_of(rows["received_at"])
    keys = ("bucket_at", *named)
    return grouped(columns, keys, [("items", "sum")])
