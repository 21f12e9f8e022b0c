"""Sentry envelopes become OTLP log records with exception attributes, before the gate.

Here: the envelope and store formats, and one event as one log record; `sentry_stacks` turns frames into
the trace text that OpenTelemetry SDKs send. Not here: HTTP (`http`), what may be kept
(`privacy/gate/allow_list.yaml`): locals, headers, cookies and bodies are not even read. Source:
develop.sentry.dev, envelopes and event payloads. Too much is truncated, never dropped.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from ingestion.receivers.decoding.budget import json_structure
from ingestion.receivers.decoding.nested import MAX_EVENT_US
from ingestion.receivers.decoding.protobuf import BadBody
from ingestion.receivers.doors.sentry_stacks import qualified_type, trace_text

PATH = re.compile(r"/api/([A-Za-z0-9_-]{1,64})/(envelope|store)/?\Z")
MAX_COMPRESSED_BYTES = 20 * 1024 * 1024
MAX_BYTES = 100 * 1024 * 1024
MAX_ITEMS, MAX_EVENTS, MAX_VALUES = 10_000, 1_000, 200_000
_SMALL_BYTES = 64 * 1024
_KNOWN_ITEMS = frozenset(
    """transaction session sessions attachment user_report feedback client_report profile profile_chunk
    replay_event replay_recording replay_video check_in statsd metric_buckets span log trace_metric
    raw_security""".split()
)
_SEVERITY = {
    "fatal": 21, "critical": 21, "error": 17, "warning": 13, "warn": 13, "info": 9, "log": 9, "debug": 5,
    # numbers of Python's logging, from clients of long ago
    "50": 21, "40": 17, "30": 13, "20": 9, "10": 5,
}  # fmt: skip
_KEY_IN_HEADER = re.compile(r"(?:^|[\s,])sentry_key=([^,\s]+)")
_KEY_IN_DSN = re.compile(r"https?://([^:@/]+)(?::[^@/]*)?@")
_NAMES_A_COMPONENT = re.compile(r"(?![0-9a-f]{16,}\Z)[A-Za-z][A-Za-z0-9_.-]{2,60}\Z")
_OLD_NAMES = {
    "exception": "sentry.interfaces.Exception",
    "stacktrace": "sentry.interfaces.Stacktrace",
    "logentry": "sentry.interfaces.Message",
    "request": "sentry.interfaces.Http",
    "user": "sentry.interfaces.User",
    "breadcrumbs": "sentry.interfaces.Breadcrumbs",
}
_MAX_DIGITS = 100
_MAX_TEXT = 8_000
_MAX_BREADCRUMBS, _MAX_BREADCRUMB, _MAX_TAGS = 15, 120, 64


@dataclass(frozen=True)
class Envelope:
    """The events of an envelope and how many items of which other kinds were skipped."""

    events: tuple[Mapping[str, Any], ...]
    skipped: tuple[str, ...]
    event_id: str
    dsn: str = ""


def public_key(auth_header: str, query_key: str, dsn: str) -> str:
    """The DSN's public key from wherever the SDK put it; empty when it is nowhere."""
    in_header = _KEY_IN_HEADER.search(auth_header)
    in_dsn = _KEY_IN_DSN.match(dsn)
    return (in_header and in_header[1]) or query_key or (in_dsn and in_dsn[1]) or ""


def read_envelope(body: bytes) -> Envelope:
    """Items of an envelope; unknown ones are skipped.

    Raises BadBody for an item that cannot be read where no event can; beside one it is skipped.
    """
    head, start = _line(body, 0)
    header = _object(head, "envelope header")
    events: list[Mapping[str, Any]] = []
    skipped: list[str] = []
    broken: list[BadBody] = []
    for item, payload in _readable(_items(body, start), broken):
        kind = item.get("type")
        if kind != "event":
            skipped.append(kind if isinstance(kind, str) and kind in _KNOWN_ITEMS else "unknown")
            continue
        if len(events) == MAX_EVENTS:
            raise _too_many_items()
        try:
            events.append(_object(payload, "event"))
        except BadBody as error:
            broken.append(error)
    if broken and not events:
        raise broken[0]
    skipped += ["unreadable"] * len(broken)
    event_id = _text(header.get("event_id")) or (_text(events[0].get("event_id")) if events else "")
    return Envelope(tuple(events), tuple(skipped), event_id, _text(header.get("dsn")))


def read_store(body: bytes) -> Envelope:
    """The legacy store format: the body is one event."""
    event = _object(body, "event")
    return Envelope((event,), (), _text(event.get("event_id")))


def to_logs(envelope: Envelope, component: str | None, key: str, project: str) -> bytes:
    """One OTLP export of all events; equal events make equal bytes, whatever envelope they came in."""
    request = ExportLogsServiceRequest()
    for event in envelope.events:
        _add_event(request, event, component, key=key, project=project)
    return request.SerializeToString(deterministic=True)


def _readable(
    items: Iterator[tuple[Mapping[str, Any], bytes]], broken: list[BadBody]
) -> Iterator[tuple[Mapping[str, Any], bytes]]:
    """The items up to one whose header cannot be read: nobody knows where the next one begins."""
    try:
        yield from items
    except BadBody as error:
        if error.too_large:
            raise
        broken.append(error)


def _items(body: bytes, start: int) -> Iterator[tuple[Mapping[str, Any], bytes]]:
    """Header and payload of each item from a place on."""
    count = 0
    while start < len(body):
        head, start = _line(body, start)
        if not head.strip():
            continue
        count += 1
        if count > MAX_ITEMS:
            raise _too_many_items()
        item = _object(head, "item header")
        length = item.get("length")
        if isinstance(length, int) and 0 <= length <= len(body) - start:
            payload, start = body[start : start + length], start + length
            start += body[start : start + 1] == b"\n"
        else:
            payload, start = _line(body, start)
        yield item, payload


def _line(body: bytes, start: int) -> tuple[bytes, int]:
    """The line that begins at a place, and where the next one does."""
    end = body.find(b"\n", start)
    end = len(body) if end < 0 else end
    return body[start:end], end + 1


def _too_many_items() -> BadBody:
    message = f"the envelope holds more than {MAX_ITEMS} items or {MAX_EVENTS} events; send fewer"
    return BadBody(message, too_large=True, reason="too_many_items")


def _object(text: bytes, what: str) -> Mapping[str, Any]:
    if len(text) > _SMALL_BYTES:
        values = json_structure(text).values
        if values > MAX_VALUES:
            raise BadBody(
                f"the {what} holds more than {MAX_VALUES} values; send fewer local variables",
                too_large=True,
                reason="too_many_values",
            )
    try:
        value = json.loads(text, parse_int=_whole)
    except (ValueError, RecursionError):
        raise BadBody(f"the {what} is not JSON") from None
    if not isinstance(value, dict):
        raise BadBody(f"the {what} must be a JSON object")
    return value


def _add_event(
    request: ExportLogsServiceRequest,
    event: Mapping[str, Any],
    component: str | None,
    *,
    key: str,
    project: str,
) -> None:
    tags = _tags(event.get("tags"))
    entry = request.resource_logs.add()
    resource = {
        "service.name": component
        if component not in (None, "*")
        else _component(event, tags, key, project),
        "service.version": _text(event.get("release")).rpartition("@")[2],
        "deployment.environment.name": _text(event.get("environment")),
        "host.name": _text(event.get("server_name")),
    }
    for name, value in resource.items():
        _put(entry.resource.attributes, name, value)
    scope = entry.scope_logs.add()
    scope.scope.name = _text(event.get("logger")) or "sentry"
    record = scope.log_records.add()
    record.time_unix_nano = _nanoseconds(event.get("timestamp"))
    record.severity_number = _SEVERITY.get(_text(event.get("level")) or "error", 17)
    trace = _mapping(_mapping(event.get("contexts")).get("trace"))
    record.trace_id, record.span_id = _id(trace.get("trace_id"), 16), _id(trace.get("span_id"), 8)
    attributes = _exception(event)
    record.event_name = "sentry.exception" if attributes else "sentry.message"
    record.body.string_value = _message(event)
    attributes |= _context(event)
    for name, value in {**tags, **attributes}.items():
        _put(record.attributes, name, value)


def _component(event: Mapping[str, Any], tags: Mapping[str, str], key: str, project: str) -> str:
    """Who sent it: OpenTelemetry's resource, a tag, else the DSN's key where it is a name."""
    otel = _mapping(_mapping(_mapping(event.get("contexts")).get("otel")).get("resource"))
    named = _text(otel.get("service.name")) or tags.get("service.name") or tags.get("service", "")
    if named:
        return named
    # Some SDKs allow no hyphen in a key.
    return key.replace("_", "-") if _NAMES_A_COMPONENT.match(key) else f"sentry-project-{project}"


def _exception(event: Mapping[str, Any]) -> dict[str, str]:
    values = _objects(_interface(event, "exception"))
    platform = _text(event.get("platform"))
    if not values:
        holders = [{"stacktrace": _interface(event, "stacktrace")}, *_objects(event.get("threads"))]
        with_stack = [holder for holder in holders if holder.get("stacktrace")]
        # Several threads do not say which one is the error.
        values = [{"stacktrace": with_stack[0]["stacktrace"]}] if len(with_stack) == 1 else []
        if not values:
            return {}
    outer = values[-1]
    return {
        "exception.type": qualified_type(outer, platform),
        "exception.message": _text(outer.get("value")),
        "exception.stacktrace": trace_text(values, platform),
    }


def _context(event: Mapping[str, Any]) -> dict[str, str]:
    """Route, session, fingerprint and breadcrumbs; a user is one value that becomes a pseudonym."""
    user, request = _mapping(_interface(event, "user")), _mapping(_interface(event, "request"))
    transaction = _text(event.get("transaction"))
    fingerprint = [_text(part) for part in _list(event.get("fingerprint"))]
    is_own = fingerprint and fingerprint != ["{{ default }}"]
    who = next((_text(user[n]) for n in ("id", "email", "username") if user.get(n)), "")
    found = {
        "user.id": who,
        "http.request.method": _text(request.get("method")),
        "url.full": _text(request.get("url")),
        "http.route": transaction if transaction.startswith("/") else "",
        "tta.error.fingerprint": "\n".join(fingerprint) if is_own else "",
        "tta.error.breadcrumbs": "\n".join(_breadcrumbs(_interface(event, "breadcrumbs"))),
    }
    return {name: value for name, value in found.items() if value}


def _breadcrumbs(given: Any) -> Iterator[str]:
    for crumb in _objects(given)[-_MAX_BREADCRUMBS:]:
        words = f"{_text(crumb.get('category')) or 'default'}: {_text(crumb.get('message'))}"
        yield " ".join(words.split())[:_MAX_BREADCRUMB]


def _message(event: Mapping[str, Any]) -> str:
    entry = _interface(event, "logentry") or event.get("message")
    if isinstance(entry, dict):
        return _text(entry.get("message")) or _text(entry.get("formatted"))
    return _text(entry)


def _tags(given: Any) -> dict[str, str]:
    listed = [p for p in _list(given) if isinstance(p, list) and len(p) == 2]
    pairs = given.items() if isinstance(given, dict) else listed
    return {_text(k)[:120]: _text(v)[:200] for k, v in list(pairs)[:_MAX_TAGS] if _text(k)}


def _put(attributes: Any, name: str, value: str | None) -> None:
    if value:
        attributes.add(key=name).value.string_value = value


def _nanoseconds(given: Any) -> int:
    """An event's time, seconds or ISO 8601; 0 (not set) when it cannot be read or cannot be meant."""
    try:
        if isinstance(given, bool):
            return 0
        if isinstance(given, int | float):
            us = int(given * 1e6)
        else:
            moment = datetime.fromisoformat(str(given).replace("Z", "+00:00"))
            us = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1e6)
    except (ValueError, OverflowError):
        return 0
    return us * 1_000 if 0 < us < MAX_EVENT_US else 0


def _interface(event: Mapping[str, Any], name: str) -> Any:
    """A part of an event by its name, or by the one that it had in Sentry's old protocol."""
    found = event.get(name)
    return event.get(_OLD_NAMES[name]) if found is None else found


def _objects(given: Any) -> list[Mapping[str, Any]]:
    """Objects from a list, from `{"values": [...]}`, or from one that stands for itself."""
    if isinstance(given, dict):
        return _objects(given["values"]) if "values" in given else [given]
    return [value for value in _list(given) if isinstance(value, dict)]


def _whole(digits: str) -> int | float:
    """A JSON number without a point; Python refuses to read thousands of digits."""
    return int(digits) if len(digits) < _MAX_DIGITS else float(digits)


def _id(given: Any, width: int) -> bytes:
    text = _text(given).replace("-", "")
    return bytes.fromhex(text) if re.fullmatch(rf"[0-9a-fA-F]{{{2 * width}}}", text) else b""


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()[:_MAX_TEXT]
    return str(value) if isinstance(value, int | float) else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
