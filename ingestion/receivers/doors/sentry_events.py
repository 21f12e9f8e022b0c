"""One Sentry event as one OTLP log record with exception attributes, before the gate.

Here: where an event says what, old protocol included. Locals, headers, cookies and bodies are not even read.
Not here: envelopes (`sentry`), frames (`sentry_stacks`), what may be kept (`privacy/gate`). Source:
develop.sentry.dev, "Event Payloads"; OpenTelemetry semantic conventions, exceptions. Too much is truncated,
never dropped.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from ingestion.receivers.decoding.nested import MAX_EVENT_US
from ingestion.receivers.doors.sentry import Envelope, text_of
from ingestion.receivers.doors.sentry_stacks import qualified_type, trace_text

_SEVERITY = {
    "fatal": 21, "critical": 21, "error": 17, "warning": 13, "warn": 13, "info": 9, "log": 9, "debug": 5,
    # numbers of Python's logging, from clients of long ago
    "50": 21, "40": 17, "30": 13, "20": 9, "10": 5,
}  # fmt: skip
_NAMES_A_COMPONENT = re.compile(r"(?![0-9a-f]{16,}\Z)[A-Za-z][A-Za-z0-9_.-]{2,60}\Z")
_OLD_NAMES = {
    "exception": "sentry.interfaces.Exception",
    "stacktrace": "sentry.interfaces.Stacktrace",
    "logentry": "sentry.interfaces.Message",
    "request": "sentry.interfaces.Http",
    "user": "sentry.interfaces.User",
    "breadcrumbs": "sentry.interfaces.Breadcrumbs",
}
_MAX_BREADCRUMBS, _MAX_BREADCRUMB, _MAX_TAGS = 15, 120, 64


def to_logs(envelope: Envelope, component: str | None, key: str, project: str) -> bytes:
    """One OTLP logs export of all events, a record for each, as protobuf bytes.

    Equal events make equal bytes, whatever envelope they came in. `component` is whom the sender's token
    speaks for, None for anybody; then an event names it, or the DSN's `key`, or `project`.
    """
    request = ExportLogsServiceRequest()
    for event in envelope.events:
        _add_event(request, event, component, key=key, project=project)
    return request.SerializeToString(deterministic=True)


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
        "service.version": text_of(event.get("release")).rpartition("@")[2],
        "deployment.environment.name": text_of(event.get("environment")),
        "host.name": text_of(event.get("server_name")),
    }
    for name, value in resource.items():
        _put(entry.resource.attributes, name, value)
    scope = entry.scope_logs.add()
    scope.scope.name = text_of(event.get("logger")) or "sentry"
    record = scope.log_records.add()
    record.time_unix_nano = _nanoseconds(event.get("timestamp"))
    record.severity_number = _SEVERITY.get(text_of(event.get("level")) or "error", 17)
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
    named = text_of(otel.get("service.name")) or tags.get("service.name") or tags.get("service", "")
    if named:
        return named
    # Some SDKs allow no hyphen in a key.
    return key.replace("_", "-") if _NAMES_A_COMPONENT.match(key) else f"sentry-project-{project}"


def _exception(event: Mapping[str, Any]) -> dict[str, str]:
    values = _objects(_interface(event, "exception"))
    platform = text_of(event.get("platform"))
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
        "exception.message": text_of(outer.get("value")),
        "exception.stacktrace": trace_text(values, platform),
    }


def _context(event: Mapping[str, Any]) -> dict[str, str]:
    """Route, session, fingerprint and breadcrumbs; a user is one value that becomes a pseudonym."""
    user, request = _mapping(_interface(event, "user")), _mapping(_interface(event, "request"))
    transaction = text_of(event.get("transaction"))
    fingerprint = [text_of(part) for part in _list(event.get("fingerprint"))]
    is_own = fingerprint and fingerprint != ["{{ default }}"]
    who = next((text_of(user[n]) for n in ("id", "email", "username") if user.get(n)), "")
    found = {
        "user.id": who,
        "http.request.method": text_of(request.get("method")),
        "url.full": text_of(request.get("url")),
        "http.route": transaction if transaction.startswith("/") else "",
        "tta.error.fingerprint": "\n".join(fingerprint) if is_own else "",
        "tta.error.breadcrumbs": "\n".join(_breadcrumbs(_interface(event, "breadcrumbs"))),
    }
    return {name: value for name, value in found.items() if value}


def _breadcrumbs(given: Any) -> Iterator[str]:
    for crumb in _objects(given)[-_MAX_BREADCRUMBS:]:
        words = f"{text_of(crumb.get('category')) or 'default'}: {text_of(crumb.get('message'))}"
        yield " ".join(words.split())[:_MAX_BREADCRUMB]


def _message(event: Mapping[str, Any]) -> str:
    entry = _interface(event, "logentry") or event.get("message")
    if isinstance(entry, dict):
        return text_of(entry.get("message")) or text_of(entry.get("formatted"))
    return text_of(entry)


def _tags(given: Any) -> dict[str, str]:
    listed = [p for p in _list(given) if isinstance(p, list) and len(p) == 2]
    pairs = given.items() if isinstance(given, dict) else listed
    return {text_of(k)[:120]: text_of(v)[:200] for k, v in list(pairs)[:_MAX_TAGS] if text_of(k)}


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


def _id(given: Any, width: int) -> bytes:
    text = text_of(given).replace("-", "")
    return bytes.fromhex(text) if re.fullmatch(rf"[0-9a-fA-F]{{{2 * width}}}", text) else b""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
