"""Lines of a log file as log entries: JSON of many makers, and text of Python, uvicorn, gunicorn and others.

Here: which lines belong together, what a line of text says, and what a container's log wraps around a
line, as an OTLP log record. Pure functions. Not here: files and positions (`tail`), JSON
(`json_lines`), what may be kept (the gate at the receiver). Source: Kubernetes' CRI log format and
Docker's json-file for what wraps a line.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from ingestion.collectors.log_files import json_lines
from ingestion.collectors.log_files.record import SEVERITY, put, put_exception, time_ns, words

_LEVELS = "TRACE|DEBUG|INFO|NOTICE|WARNING|WARN|ERROR|CRITICAL|FATAL"
_UVICORN = re.compile(rf"({_LEVELS}):(?:\s+|([\w.]+):)(.*)", re.DOTALL)
_TIMED = re.compile(
    r"\[?(\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z\b|[+-]\d\d:?\d\d)| UTC\b| GMT\b)?)"
    r"\]?(?:\s*[-|:]\s*|\s+)(.*)",
    re.DOTALL,
)
_NAMED = re.compile(rf"([\w.]+) - ({_LEVELS}) - (.*)", re.DOTALL)
# What may stand between the time and the level: a process, a thread.
_WHO = rf"(?:\[(?!(?:{_LEVELS})\b)[\w@.:/#-]{{1,80}}\]\s*|\d{{1,10}}\s+)?"
_LEVELLED = re.compile(
    rf"{_WHO}\W{{0,2}}({_LEVELS})\b(?:/[\w-]+\])? *\W{{0,3}}(?:\s*(?:-\s+)?([\w.]+)(?: - |: ))?(.*)",
    re.DOTALL | re.IGNORECASE,
)
# Names that are words of a sentence as well: they are levels where brackets or a colon say so.
_MARKED = re.compile(
    rf"{_WHO}(?:\[(alert|emerg|crit|err|severe|panic|log|success)\]:?|(ALERT|EMERG|CRIT|ERR|SEVERE|PANIC|LOG):)"
    r"\s*(.*)",
    re.DOTALL | re.IGNORECASE,
)
_TRACEBACK = re.compile(
    r"^(?:\s*\+ Exception Group )?Traceback \(most recent call last\):", re.MULTILINE
)
# What Kubernetes' container runtimes put before each line.
_CRI = re.compile(
    r"(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) (?:stdout|stderr) [FP] (.*)", re.DOTALL
)


@dataclass(frozen=True)
class Entry:
    """The lines of one entry and where they begin and end in the file, bytes; `is_cut`: not all of them."""

    text: str
    start: int
    end: int
    is_cut: bool = False


def is_start(line: str) -> bool:
    """Whether a line begins an entry by its form: JSON, a level or a time comes first."""
    return line.startswith("{") or bool(_UVICORN.match(line) or _TIMED.match(line))


def entries(data: bytes, offset: int) -> Iterator[Entry]:
    """Entries of whole lines; the last may still go on, and a line without its end is left out."""
    lines: list[str] = []
    start = position = offset
    is_formed = False
    # Only a line feed ends a line: a progress bar goes back to the line's begin with carriage returns.
    for whole in data.split(b"\n")[:-1]:
        line = whole.decode("utf-8", "replace").rstrip("\r")
        if lines and not _goes_on(line, lines, is_formed=is_formed):
            yield Entry("\n".join(lines), start, position)
            lines = []
        if not lines:
            start, is_formed = position, is_start(line)
        lines.append(line)
        position += len(whole) + 1
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
    """The OTLP record of an entry, and the component it names, if any.

    `observed_ns` is in Unix nanoseconds.
    """
    inner, wrapped_ns = _inner(text)
    record = LogRecord(observed_time_unix_nano=observed_ns)
    record.time_unix_nano = wrapped_ns or observed_ns
    values = json_lines.read_object(inner)
    if values is not None:
        return record, json_lines.fill(record, inner, values)
    _of_text(record, inner)
    return record, None


def _inner(text: str) -> tuple[str, int]:
    """What a container's log wraps, and when it says that it was written."""
    if found := _CRI.match(text):
        return found[2], time_ns(found[1])
    values = json_lines.read_object(text)
    if values is not None and _is_docker(values):
        return words(values["log"]).rstrip("\r\n") or text, time_ns(values.get("time"))
    return text, 0


def _is_docker(values: Mapping[str, Any]) -> bool:
    return isinstance(values.get("log"), str) and values.keys() <= {
        "log", "stream", "time", "attrs", "docker", "kubernetes",
    }  # fmt: skip


def _of_text(record: LogRecord, text: str) -> None:
    timed = _TIMED.match(text)
    rest = timed[2] if timed else text
    if timed:
        record.time_unix_nano = time_ns(timed[1]) or record.time_unix_nano
    level, logger, message = "INFO", None, rest
    if found := _NAMED.match(rest):
        logger, level, message = found.groups()
    elif found := _UVICORN.match(rest) or (_LEVELLED.match(rest) if timed else None):
        level, logger, message = found.groups()
    elif timed and (found := _MARKED.match(rest)):
        level, message = found[1] or found[2], found[3]
    trace = _TRACEBACK.search(message)
    if trace and not found:
        level = "ERROR"
    record.severity_number = SEVERITY[level.upper()]
    record.body.string_value = (message[: trace.start()] if trace else message).strip()
    put(record, "tta.error.logger", logger or "")
    if trace:
        put_exception(record, message[trace.start() :], "", "")
