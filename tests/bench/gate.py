"""The gate alone, in one process: typed attribute values and distinct log lines per CPU-second.

Here: columns of invented events and lines, no sockets and no disk. Not here: whole exports
(`__main__.throughput`).
"""

import random
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from privacy.gate.counts import Owners
from privacy.gate.gate_columns import Gate
from privacy.keys.key_store import KeyStore
from privacy.keys.pseudonyms import Pseudonyms
from tests.privacy.detection.labelled import read

_EVENTS = 200_000
_BATCH = 10_000
_LINES = 20_000
_TYPED = (
    ("http.request.method", ("GET", "POST", "PUT")),
    ("http.response.status_code", (200, 201, 404, 500)),
    ("http.route", ("/api/v1/players/{player_id}", "/api/v1/sessions/{id}/progress", "/health")),
    ("server.port", (8080, 443)),
)


def gate() -> dict[str, Any]:
    """Typed events and distinct log lines per CPU-second; CPU time of this process."""
    with tempfile.TemporaryDirectory() as folder:
        keys = KeyStore.open(Path(folder), create=True)
        made = Gate(Pseudonyms(keys, "operations"))
        made.begin(date(2026, 3, 1))
        started = time.process_time()
        made.warm_up()
        warm_up_s = time.process_time() - started
        return {
            "gate_warm_up_cpu_s": round(warm_up_s, 2),
            "gate_typed_events_per_cpu_s": _per_cpu_s(
                _typed_batches(),
                _EVENTS,
                lambda column, owners: made.attributes(column, "span", owners),
            ),
            "gate_distinct_log_lines_per_cpu_s": _per_cpu_s(
                _line_batches(), _LINES, lambda column, owners: made.texts(column, "body", owners)
            ),
        }


def _per_cpu_s(batches: list[pa.Array], items: int, treat: Callable[[Any, Owners], Any]) -> int:
    owners = [Owners.of(pa.array(["player-api"] * len(batch))) for batch in batches]
    treat(batches[0], owners[0])
    started = time.process_time()
    for batch, owner in zip(batches[1:], owners[1:], strict=True):
        treat(batch, owner)
    took_s = time.process_time() - started
    return round(items * (len(batches) - 1) / len(batches) / took_s)


def _typed_batches() -> list[pa.Array]:
    """Lists of key and value, as decoded from OTLP; every event has four attributes."""
    chance = random.Random(1)
    scalar = pa.struct(
        [("string_value", pa.string()), ("int_value", pa.int64()), ("bool_value", pa.bool_()),
         ("double_value", pa.float64()),
         ("array_value", pa.struct([("values", pa.list_(pa.binary()))]))]
    )  # fmt: skip
    kind = pa.list_(pa.struct([("key", pa.string()), ("value", scalar)]))
    batches = []
    for _ in range(_EVENTS // _BATCH):
        events = [
            [{"key": key, "value": _value(chance.choice(values))} for key, values in _TYPED]
            for _ in range(_BATCH)
        ]
        batches.append(pa.array(events, kind))
    return batches


def _value(value: str | int) -> dict[str, Any]:
    return {"string_value" if isinstance(value, str) else "int_value": value}


def _line_batches() -> list[pa.Array]:
    """Lines of many templates with words and numbers that no line shares with another."""
    chance = random.Random(2)
    templates = [line.text for line in read("logs.txt")]
    lines = [
        f"{chance.choice(templates)} {chance.choice(_VERBS)} {chance.randbytes(4).hex()} in {n} ms"
        for n in range(_LINES)
    ]
    size = _LINES // 20
    return [pa.array(lines[at : at + size]) for at in range(0, _LINES, size)]


_VERBS = ("completed", "failed for", "retried", "returned", "skipped", "rejected by qwzx")
