"""How many items an OTLP export holds, counted without the readers that are tested.

Here: items of a message, of bytes on the wire and of JSON, and what collectors tell that they dropped. Not
here: making exports (`otlp`).
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message

from ingestion.contracts.told import METRIC, SIGNAL
from tests.fuzz.otlp import FIELDS


def items_in(signal: str, message: Message) -> int:
    """How many spans, records or points a request holds: counted here, not by the product."""
    counted = 0
    for resource in getattr(message, FIELDS[signal][0]):
        for scope in getattr(resource, FIELDS[signal][1]):
            for item in getattr(scope, FIELDS[signal][2]):
                counted += _points_in(item) if signal == "metric_points" else 1
    return counted


def told_in(request: Any) -> Counter[str]:
    """Items by signal that a collector of ours tells that it could not use."""
    found: Counter[str] = Counter()
    for resource in request.resource_metrics:
        for metric in (m for scope in resource.scope_metrics for m in scope.metrics):
            for point in metric.sum.data_points if metric.name == METRIC else ():
                named = {a.key: a.value.string_value for a in point.attributes}
                found[named[SIGNAL]] += point.as_int
    return found


def items_on_the_wire(signal: str, body: bytes) -> int:
    """The same of bytes that Google's reader refuses, for unmatched groups for instance, and others take."""
    bodies = [body]
    for number in (1, 2, 2):
        bodies = [inner for outer in bodies for found, inner in _fields(outer) if found == number]
    if signal != "metric_points":
        return len(bodies)
    return sum(_points_on_the_wire(metric) for metric in bodies)


def _points_on_the_wire(metric: bytes) -> int:
    """Of several kinds of data the last one stands; parts of one kind are put together."""
    last, counted = 0, 0
    for number, data in _fields(metric):
        if number in _DATA_FIELDS:
            points = sum(1 for found, _ in _fields(data) if found == 1)
            counted, last = points + (counted if number == last else 0), number
    return counted


def _fields(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of the fields that have a length."""
    at = 0
    while at < len(body):
        tag, at = _varint(body, at)
        kind = tag & 7
        if kind == 0:
            _, at = _varint(body, at)
        elif kind == 1:
            at += 8
        elif kind == 5:
            at += 4
        elif kind == 2:
            size, at = _varint(body, at)
            yield tag >> 3, body[at : at + size]
            at += size


def _varint(body: bytes, at: int) -> tuple[int, int]:
    found, shift = 0, 0
    while at < len(body):
        found |= (body[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if body[at - 1] < 0x80:
            break
    return found, at


def items_in_json(signal: str, body: bytes) -> int:
    """The same of a JSON body that was taken: objects in the lists, by either spelling of the fields."""
    names = _JSON_FIELDS[signal]
    # Bytes that are no text may stand in what nobody reads.
    level: list[Any] = [json.loads(body.decode("utf-8", "replace"))]
    for name in names:
        level = [inner for holder in level for inner in _list(holder, name)]
    if signal != "metric_points":
        return len(level)
    kinds = ("gauge", "sum", "histogram", "exponentialHistogram", "summary")
    return sum(
        len(_list(_of(metric, kind) or {}, "dataPoints")) for metric in level for kind in kinds
    )


def _list(holder: Any, name: str) -> list[Any]:
    found = _of(holder, name)
    return [inner for inner in found if inner is not None] if isinstance(found, list) else []


def _of(holder: Any, name: str) -> Any:
    if not isinstance(holder, dict):
        return None
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
    return holder.get(name, holder.get(snake))


def _points_in(metric: Any) -> int:
    kind = metric.WhichOneof("data")
    return len(getattr(metric, kind).data_points) if kind else 0


_DATA_FIELDS = (5, 7, 9, 10, 11)
_JSON_FIELDS = {
    "spans": ("resourceSpans", "scopeSpans", "spans"),
    "logs": ("resourceLogs", "scopeLogs", "logRecords"),
    "metric_points": ("resourceMetrics", "scopeMetrics", "metrics"),
}
