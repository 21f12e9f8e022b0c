"""A line of JSON as a log record: TTA's, structlog, pino, bunyan, zap, loguru, logstash, ECS, GELF, journald.

Here: under which names these write the message, the level, the time, the logger and the exception. Not
here: spellings of the values (`record`), containers' wrappers and plain text (`lines`). A line in
which no message is found is kept as it stands: the gate says what of it stays.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from ingestion.collectors.log_files.record import (
    SEVERITY,
    id_bytes,
    put,
    put_exception,
    time_ns,
    words,
)

_MESSAGE = "message msg event short_message @message MESSAGE textPayload body text log".split()
_LEVEL = "severity level levelname lvl log.level level_name loglevel @level severityText".split()
_TIME = (
    "timestamp @timestamp time ts datetime date asctime t instant eventTime __REALTIME_TIMESTAMP"
).split()
_LOGGER = "logger logger_name loggerName log.logger name channel".split()
_STACK = (
    "traceback stack stacktrace stack_trace error.stack_trace error.stack exc_info exc_text exception"
    " full_message"
).split()
_ERRORS = "err error exception exception_info exc thrown".split()
_COMPONENT = "otelServiceName service service.name service_name".split()
_IDS = "user_id session_id request_id correlation_id therapeutic_session_id character_id".split()
_WORDS = "category therapeutic_event intervention_type safety_level endpoint".split()
_TRACE_IDS = ("otelTraceID", "trace_id", "traceId", "trace.id")
_SPAN_IDS = ("otelSpanID", "span_id", "spanId", "span.id")
# TTA's own numbers; beyond them those of pino and bunyan, which Python's `levelno` nearly are.
_TTA_SEVERITY = (5, 9, 13, 17, 21)
_PINO = {10: 1, 20: 5, 30: 9, 40: 13, 50: 17, 60: 21}
_PYTHON = {10: 5, 20: 9, 30: 13, 40: 17, 50: 21}
_SYSLOG = (24, 22, 21, 17, 13, 10, 9, 5)


def read_object(text: str) -> Mapping[str, Any] | None:
    """The JSON object that a text is, if it is one."""
    if not text.startswith("{"):
        return None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def fill(record: LogRecord, text: str, given: Mapping[str, Any]) -> str | None:
    """Write what an object says into a record; returns the component that it names, if any."""
    values = _unwrapped(given)
    message = _first(values, _MESSAGE)
    record.body.string_value = message.strip() or text
    record.severity_number = _severity(values)
    record.time_unix_nano = _time(values) or record.time_unix_nano
    context = values.get("context") if isinstance(values.get("context"), dict) else {}
    found = {**(context or {}), **values}
    for name in (*_IDS, *_WORDS):
        put(record, name, words(found.get(name)))
    put(record, "tta.error.logger", _first(found, _LOGGER))
    record.trace_id = id_bytes(found, _TRACE_IDS, 16)
    record.span_id = id_bytes(found, _SPAN_IDS, 8)
    _put_exception(record, values)
    service = values.get("service")
    named = service.get("name") if isinstance(service, dict) else None
    return words(named) or _first(values, _COMPONENT) or None


def _unwrapped(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Loguru's `record` and the cloud's `jsonPayload` hold what the object around them is about."""
    for name in ("record", "jsonPayload"):
        inner = values.get(name)
        if isinstance(inner, dict) and _first(inner, _MESSAGE):
            return {**values, **inner}
    return values


def _first(values: Mapping[str, Any], names: Sequence[str]) -> str:
    return next((text for n in names if (text := words(values.get(n)).strip("\n"))), "")


def _severity(values: Mapping[str, Any]) -> int:
    if "PRIORITY" in values or "short_message" in values:
        number = _whole(values.get("PRIORITY", values.get("level")))
        if number is not None and 0 <= number < len(_SYSLOG):
            return _SYSLOG[number]
    number = _whole(values.get("levelno"))
    if number in _PYTHON:
        return _PYTHON[number]
    for name in _LEVEL:
        given = values.get(name)
        if isinstance(given, dict):  # loguru's and ECS's objects
            given = given.get("name", given.get("level"))
        number = _whole(given)
        if number is not None and 0 <= number < len(_TTA_SEVERITY):
            return _TTA_SEVERITY[number]
        if number in _PINO:
            return _PINO[number]
        if known := SEVERITY.get(words(given).strip().upper()):
            return known
    log = values.get("log")
    return _severity(log) if isinstance(log, dict) else 9


def _whole(given: Any) -> int | None:
    if isinstance(given, str) and given.isdecimal() and len(given) <= 2:
        return int(given)
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def _time(values: Mapping[str, Any]) -> int:
    for name in _TIME:
        given = values.get(name)
        if isinstance(given, dict):  # loguru's
            given = given.get("timestamp", given.get("repr"))
        if at_ns := time_ns(given):
            return at_ns
    return 0


def _put_exception(record: LogRecord, values: Mapping[str, Any]) -> None:
    """The exception from an object of its own, or from names beside the message."""
    info = next((v for n in _ERRORS if isinstance(v := values.get(n), dict)), {})
    type_ = _first(info, ("type", "name", "kind", "class")) or _first(
        values, ("error.type", "exception_type", "exc_type", "exception.type")
    )
    message = _first(info, ("message", "value", "msg")) or _first(
        values, ("error.message", "exception.message", "error", "err")
    )
    trace = _first(info, _STACK) or _first(values, _STACK)
    if not trace and "Traceback (most recent call last)" in words(values.get("text")):
        text = words(values["text"])
        trace = text[text.index("Traceback (most recent call last)") :]
    put_exception(record, trace, type_, message)
