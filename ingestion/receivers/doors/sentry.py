"""Sentry envelopes and the older store format: which events a body holds.

Here: items, lengths and limits of an envelope, and the DSN's public key. Not here: HTTP (`sentry_door`), what
an event becomes (`sentry_events`). Source: develop.sentry.dev, "Envelopes" and "Store Endpoint".
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ingestion.receivers.decoding.budget import json_structure
from ingestion.receivers.decoding.protobuf import BadBody

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
_KEY_IN_HEADER = re.compile(r"(?:^|[\s,])sentry_key=([^,\s]+)")
_KEY_IN_DSN = re.compile(r"https?://([^:@/]+)(?::[^@/]*)?@")
_MAX_DIGITS = 100
_MAX_TEXT = 8_000


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
    """The events of an envelope; items of other kinds are skipped and named.

    Raises BadBody for an item that cannot be read where no event can; beside one it is skipped. Source:
    develop.sentry.dev, "Envelopes".
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
    event_id = text_of(header.get("event_id")) or (
        text_of(events[0].get("event_id")) if events else ""
    )
    return Envelope(tuple(events), tuple(skipped), event_id, text_of(header.get("dsn")))


def read_store(body: bytes) -> Envelope:
    """The legacy store format: the body is one event."""
    event = _object(body, "event")
    return Envelope((event,), (), text_of(event.get("event_id")))


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


def _whole(digits: str) -> int | float:
    """A JSON number without a point; Python refuses to read thousands of digits."""
    return int(digits) if len(digits) < _MAX_DIGITS else float(digits)


def text_of(value: Any) -> str:
    """A value as text of at most 8,000 characters; empty for what is neither text nor a number."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()[:_MAX_TEXT]
    return str(value) if isinstance(value, int | float) else ""
