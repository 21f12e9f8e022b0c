"""Lines of a log file as log entries: TTA's JSON, structlog, uvicorn, Python's and health-check's text.

Here: which lines belong together and what an entry says, as an OTLP log record. Pure functions. Not
here: files and positions (`log_files`), what may be kept (the gate at the receiver).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from ingestion.errors.stacks import parse_stack

_LEVELS = "TRACE|DEBUG|INFO|NOTICE|WARNING|WARN|ERROR|CRITICAL|FATAL"
_UVICORN = re.compile(rf"({_LEVELS}):(?:\s+|([\w.]+):)(.*)", re.DOTALL)
_TIMED = re.compile(
    r"\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)\]?(?:\s*[-|]\s*|\s+)(.*)",
    re.DOTALL,
)
_NAMED = re.compile(rf"([\w.]+) - ({_LEVELS}) - (.*)", re.DOTALL)
_LEVELLED = re.compile(
    rf"\W{{0,2}}({_LEVELS})\b\W{{0,3}}(?:\s*(?:-\s+)?([\w.]+)(?: - |: ))?(.*)",
    re.DOTALL | re.IGNORECASE,
)
_TRACEBACK = re.compile(
    r"^(?:\s*\+ Exception Group )?Traceback \(most recent call last\):", re.MULTILINE
)
_SEVERITY = {
    "TRACE": 1, "DEBUG": 5, "INFO": 9, "NOTICE": 10, "WARNING": 13, "WARN": 13, "ERROR": 17,
    "CRITICAL": 21, "FATAL": 21,
}  # fmt: skip
_TTA_SEVERITY = (5, 9, 13, 17, 21)
_IDS = "user_id session_id request_id correlation_id therapeutic_session_id character_id".split()
_WORDS = "category therapeutic_event intervention_type safety_level endpoint".split()


@dataclass(frozen=True)
class Entry:
    """The lines of one entry and where they begin and end in the file, bytes."""

    text: str
    start: int
    end: int


def is_start(line: str) -> bool:
    """Whether a line begins an entry by its form: JSON, a level or a time comes first."""
    return line.startswith("{") or bool(_UVICORN.match(line) or _TIMED.match(line))


def entries(data: bytes, offset: int) -> Iterator[Entry]:
    """Entries of whole lines; the last may still go on, and a line without its end is left out."""
    lines: list[str] = []
    start = position = offset
    is_formed = False
    for raw in data.splitlines(keepends=True):
        if not raw.endswith(b"\n"):
            break
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if lines and not _goes_on(line, lines, is_formed=is_formed):
            yield Entry("\n".join(lines), start, position)
            lines = []
        if not lines:
            start, is_formed = position, is_start(line)
        lines.append(line)
        position += len(raw)
    if lines:
        yield Entry("\n".join(lines), start, position)


def _goes_on(line: str, lines: list[str], *, is_formed: bool) -> bool:
    if is_start(line) or (is_formed and lines[0].startswith("{")):
        return False
    if not line.strip() or line[:1].isspace() or _TRACEBACK.match(line):
        return True
    # In a form with levels a bare line is more of the message; elsewhere only a trace goes on.
    return is_formed or any(_TRACEBACK.match(part) for part in lines)


def to_record(text: str, observed_ns: int) -> tuple[LogRecord, str | None]:
    """The OTLP record of an entry, and the component it names, if any."""
    values = _json(text)
    record = LogRecord(observed_time_unix_nano=observed_ns, time_unix_nano=observed_ns)
    if values is not None:
        return _of_json(record, values)
    _of_text(record, text)
    return record, None


def _json(text: str) -> Mapping[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def _of_json(record: LogRecord, values: Mapping[str, Any]) -> tuple[LogRecord, str | None]:
    record.body.string_value = _text(values.get("message", values.get("event")))
    record.severity_number = _severity(values)
    record.time_unix_nano = _time(_text(values.get("timestamp"))) or record.time_unix_nano
    context = values.get("context") if isinstance(values.get("context"), dict) else {}
    found = {**(context or {}), **values}
    for name in (*_IDS, *_WORDS):
        _put(record, name, _text(found.get(name)))
    _put(record, "tta.error.logger", _text(found.get("logger")))
    record.trace_id = _id(found, ("otelTraceID", "trace_id"), 16)
    record.span_id = _id(found, ("otelSpanID", "span_id"), 8)
    info = values.get("exception_info")
    info = info if isinstance(info, dict) else {}
    trace = _text(info.get("traceback")) or _text(values.get("exc_info") or values.get("exception"))
    _put_exception(record, trace, _text(info.get("type")), _text(info.get("message")))
    return record, _text(values.get("otelServiceName") or values.get("service")) or None


def _of_text(record: LogRecord, text: str) -> None:
    timed = _TIMED.match(text)
    rest = timed[2] if timed else text
    if timed:
        record.time_unix_nano = _time(timed[1]) or record.time_unix_nano
    level, logger, message = "INFO", None, rest
    if found := _NAMED.match(rest):
        logger, level, message = found.groups()
    elif found := _UVICORN.match(rest) or (_LEVELLED.match(rest) if timed else None):
        level, logger, message = found.groups()
    trace = _TRACEBACK.search(message)
    if trace and not found:
        level = "ERROR"
    record.severity_number = _SEVERITY[level.upper()]
    record.body.string_value = (message[: trace.start()] if trace else message).strip()
    _put(record, "tta.error.logger", logger or "")
    if trace:
        _put_exception(record, message[trace.start() :], "", "")


def _put_exception(record: LogRecord, trace: str, type_: str, message: str) -> None:
    stack = parse_stack(trace, type_)
    if stack is not None:
        outer = next(
            (link for link in reversed(stack.links) if not link.is_member), stack.links[-1]
        )
        type_, message = outer.type or type_, message or outer.message
        record.event_name = "log.exception"
    _put(record, "exception.type", type_)
    _put(record, "exception.message", message)
    _put(record, "exception.stacktrace", trace if stack is not None else "")


def _severity(values: Mapping[str, Any]) -> int:
    given = values.get("severity", values.get("level"))
    if isinstance(given, int) and 0 <= given < len(_TTA_SEVERITY):
        return _TTA_SEVERITY[given]
    return _SEVERITY.get(_text(given).upper(), 9)


def _put(record: LogRecord, name: str, value: str) -> None:
    if value:
        record.attributes.add(key=name).value.string_value = value


def _time(text: str) -> int:
    """Nanoseconds of an ISO time, UTC when it names no zone; 0 when it is none."""
    try:
        moment = datetime.fromisoformat(text.replace(",", ".").replace("Z", "+00:00"))
    except ValueError:
        return 0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(int(aware.timestamp() * 1e6) * 1_000, 0)


def _id(values: Mapping[str, Any], names: tuple[str, ...], width: int) -> bytes:
    text = next((_text(values[n]) for n in names if values.get(n)), "")
    return bytes.fromhex(text) if re.fullmatch(rf"[0-9a-fA-F]{{{2 * width}}}", text) else b""


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
