"""OTLP/JSON bodies are read: bytes to objects to columns, a group at once or each alone.

Here: reading bytes strictly first and, where that fails, with the leniency that senders rely on (`NaN`,
halves of characters, the field names of the protocol's files). Not here: large bodies, which come in
pieces (`pieces`), and what the columns are (`json_columns`). Source: OTLP 1.x, "JSON Protobuf Encoding";
RFC 8259, 8.2 (halves of characters).
"""

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa

from ingestion.receivers.decoding.otlp_json.json_columns import export_columns
from ingestion.receivers.decoding.otlp_json.json_metric_types import MetricsExport
from ingestion.receivers.decoding.otlp_json.json_types import LogsExport, TraceExport

_Decoded = tuple[pa.RecordBatch, list[int], list[int]]
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    "spans": msgspec.json.Decoder(TraceExport),
    "logs": msgspec.json.Decoder(LogsExport),
    "metric_points": msgspec.json.Decoder(MetricsExport),
}
UNREADABLE = (
    ValueError,
    TypeError,
    OverflowError,
    RecursionError,
    AttributeError,
    pa.ArrowException,
)
# As in a `.proto` file; only what stands before a colon is a key.
_SNAKE_KEY = re.compile(rb'"([a-z]+(?:_[a-z0-9]+)+)"(?=\s*:)')
# A list that nobody finds under its name is lost without a word, so one such name anywhere is enough.
_SNAKE_LISTS = tuple(
    f'"{name}"'.encode()
    for name in (
        "resource_spans resource_logs resource_metrics scope_spans scope_logs scope_metrics"
        " log_records data_points"
    ).split()
)
# What they begin with: a quote and an end that JSON seldom has make a search that skips most bytes.
_SNAKE_STEMS = (b'"resource_', b'"scope_', b'"log_', b'"data_')
_SNAKE_LIST = re.compile(rb"(?:" + b"|".join(_SNAKE_LISTS) + rb")\s*:")
_TO_CAMEL = re.compile(rb"_([a-z0-9])")


def to_arrow(signal: str, bodies: Sequence[bytes]) -> _Decoded:
    """What `protobuf.to_arrow` makes of protobuf: the batch, the good positions and the bad ones."""
    objects: dict[int, Any] = {}
    for position, body in enumerate(bodies):
        try:
            objects[position] = read(body, _DECODERS[signal])
        except UNREADABLE:
            continue
    try:
        batch = export_columns(signal, list(objects.values()))
    except UNREADABLE:
        objects = {p: o for p, o in objects.items() if _fits(signal, o)}
        batch = export_columns(signal, list(objects.values()))
    return batch, list(objects), [p for p in range(len(bodies)) if p not in objects]


def read(body: bytes, decoder: msgspec.json.Decoder[Any]) -> Any:
    """The object of a body; raises ValueError (msgspec's errors are of that kind) or RecursionError."""
    if has_file_names(body):
        body = _SNAKE_KEY.sub(_camel, body)
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Python's own reader takes NaN and halves of characters, as some senders write them.
        tree = without_halves(json.loads(body))
        return msgspec.convert(tree, decoder.type)


def has_file_names(body: bytes) -> bool:
    """Whether fields have the names of the protocol's files instead of lowerCamelCase."""
    return any(stem in body for stem in _SNAKE_STEMS) and bool(_SNAKE_LIST.search(body))


def most_values(body: bytes) -> int:
    """An upper bound of what the body becomes in objects and list elements, found in no time."""
    return 1 + body.count(b"{") + body.count(b",")


def without_halves(node: Any) -> Any:
    """The tree with U+FFFD for each half of a character: a limit on lengths may cut one in two."""
    if isinstance(node, str):
        return (
            node
            if node.isascii()
            else node.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        )
    if isinstance(node, list):
        return [without_halves(item) for item in node]
    if isinstance(node, dict):
        return {without_halves(key): without_halves(value) for key, value in node.items()}
    return node


def _fits(signal: str, made: Any) -> bool:
    try:
        export_columns(signal, [made])
    except UNREADABLE:
        return False
    return True


def _camel(match: re.Match[bytes]) -> bytes:
    return b'"' + _TO_CAMEL.sub(lambda part: part[1].upper(), match[1]) + b'"'
