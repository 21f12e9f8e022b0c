"""Parts of a log record as the many ways of writing a log spell them: times, levels, ids, exceptions.

Here: one spelling to its value in OTLP. Pure functions. Not here: which form a line has (`lines`,
`json_lines`). Source: OpenTelemetry logs data model (severity numbers); RFC 3339 and ISO 8601 (times).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from ingestion.meaning.errors.stacks import parse_stack

SEVERITY = {
    "TRACE": 1, "VERBOSE": 5, "DEBUG": 5, "DBG": 5, "INFO": 9, "INF": 9, "INFORMATION": 9, "LOG": 9,
    "SUCCESS": 9, "NOTICE": 10, "WARNING": 13, "WARN": 13, "WRN": 13, "ERROR": 17, "ERR": 17,
    "SEVERE": 17, "CRITICAL": 21, "CRIT": 21, "FATAL": 21, "ALERT": 22, "PANIC": 21, "DPANIC": 21,
    "EMERG": 24, "EMERGENCY": 24,
}  # fmt: skip
"""Names of levels, in capitals, as OpenTelemetry's severity numbers."""

# A number is seconds, milliseconds, microseconds or nanoseconds: each is far beyond the one before.
_UNITS = ((1e11, 1e9), (1e14, 1e6), (1e17, 1e3), (8e18, 1.0))
_MOST_US = 7_258_118_400_000_000  # 2200-01-01, as at the receiver's door
_ZONE_APART = re.compile(r"\s+(Z|[+-]\d\d:?\d\d)\Z")
_ZONE_NAMED = re.compile(r"\s*(?:UTC|GMT)\Z")


def put(record: LogRecord, name: str, value: str) -> None:
    """An attribute, unless it is empty."""
    if value:
        record.attributes.add(key=name).value.string_value = value


def put_exception(record: LogRecord, trace: str, type_: str, message: str) -> None:
    """What is known of an exception; a trace that can be read says more than its neighbours."""
    stack = parse_stack(trace, type_)
    if stack is not None:
        outer = next(
            (link for link in reversed(stack.links) if not link.is_member), stack.links[-1]
        )
        type_, message = outer.type or type_, message or outer.message
        record.event_name = "log.exception"
    put(record, "exception.type", type_)
    put(record, "exception.message", message)
    put(record, "exception.stacktrace", trace if stack is not None else "")


def time_ns(given: Any) -> int:
    """Nanoseconds of a time, UTC when it names no zone; 0 when it is none."""
    if isinstance(given, int | float) and not isinstance(given, bool):
        return _of_number(float(given))
    text = words(given).strip()
    if re.fullmatch(r"\d{9,20}(?:\.\d+)?", text):
        return _of_number(float(text))
    text = _ZONE_APART.sub(r"\1", _ZONE_NAMED.sub("Z", text)).replace(",", ".").replace("/", "-")
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return _meant(int(aware.timestamp() * 1e6))
    except (ValueError, OverflowError):
        return 0


def _of_number(number: float) -> int:
    for below, factor in _UNITS:
        if 1e8 < number < below:
            return _meant(round(number * factor / 1_000))
    return 0


def _meant(us: int) -> int:
    """Nanoseconds of a time that a log may have been written at, else 0."""
    return us * 1_000 if 0 < us < _MOST_US else 0


def id_bytes(values: Mapping[str, Any], names: tuple[str, ...], width: int) -> bytes:
    """The id under the first of these names that holds one; empty when none does."""
    text = next((words(values[n]) for n in names if values.get(n)), "")
    return bytes.fromhex(text) if re.fullmatch(rf"[0-9a-fA-F]{{{2 * width}}}", text) else b""


def words(value: Any) -> str:
    """A text or a number as text; anything else is none."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
