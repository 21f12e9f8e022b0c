"""Sending captured OTLP bodies again: a directory or `.tar.xz` with `otlp/index.jsonl`.

Here: reading a capture, moving its times and sending it over HTTP like any exporter. Not here: the
progress bar (`cli`).
"""

import json
import tarfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from google.protobuf.json_format import Parse
from google.protobuf.message import DecodeError

from ingestion.doors.backoff import waits
from ingestion.doors.own_receiver import OwnDoor
from ingestion.receivers.decoding.inflate import decompress
from ingestion.receivers.decoding.protobuf import EXPORTS, BadBody, count_items
from ingestion.receivers.doors.http import JSON, PATHS, PROTOBUF
from tta_monitor.console.problems import Problem
from tta_monitor.traffic.captured_json import json_to_protobuf

_RETRYABLE = frozenset({429, 502, 503, 504})
_SENDERS = 8
_MAX_BYTES = 1 << 30
_TIMES = ("start_time_unix_nano", "end_time_unix_nano", "time_unix_nano", "observed_time_unix_nano")


@dataclass(frozen=True)
class Captured:
    """One captured body; `recorded_at` is its time of capture in seconds."""

    path: str
    content_type: str
    content_encoding: str | None
    body: bytes
    recorded_at: float


@dataclass(frozen=True)
class Sent:
    """What became of one body, in items."""

    accepted: int
    rejected: int
    error: str = ""


class _TryAgain(Exception):
    """The receiver asks for patience of `after_s` seconds."""

    def __init__(self, after_s: float) -> None:
        super().__init__("try again")
        self.after_s = after_s


def read_capture(source: Path) -> list[Captured]:
    """All bodies of a capture in order; raises Problem when it is none."""
    if not source.exists():
        raise Problem(
            f"{source} does not exist: give a directory or .tar.xz that holds otlp/index.jsonl."
        )
    try:
        return list(_from_folder(source) if source.is_dir() else _from_tar(source))
    except (tarfile.TarError, KeyError, ValueError, OSError) as error:
        raise Problem(
            f"{source} is not a capture ({type(error).__name__}): it must hold otlp/index.jsonl with "
            "path, file, content_type and ts per line."
        ) from None


def shifted(captured: list[Captured], to: float) -> list[Captured]:
    """The same bodies with every time moved so that the last body was recorded at `to` (seconds)."""
    if not captured:
        return []
    offset_ns = round((to - max(c.recorded_at for c in captured)) * 1e9)
    return [_shift(c, offset_ns) for c in captured]


def send_all(captured: list[Captured], door: OwnDoor, *, rate: float | None) -> Iterator[Sent]:
    """Send bodies, `rate` per second or as fast as they are acknowledged; yields each result."""
    own = httpx.Client(base_url=door.url, headers=door.headers, trust_env=False, timeout=30)
    with own as client:
        if rate:
            started = time.monotonic()
            for number, body in enumerate(captured):
                time.sleep(max(started + number / rate - time.monotonic(), 0))
                yield _send(client, body)
            return
        with ThreadPoolExecutor(_SENDERS) as pool:
            yield from pool.map(lambda body: _send(client, body), captured)


def _send(client: httpx.Client, body: Captured) -> Sent:
    signal = PATHS[body.path]
    items = count_items(signal, protobuf_of(body))
    try:
        response = _post(client, body)
    except (httpx.HTTPError, _TryAgain):
        return Sent(0, items, f"the receiver at {client.base_url} does not answer")
    if not response.is_success:
        return Sent(0, items, f"refused with status {response.status_code}")
    export = EXPORTS[signal]
    answer: Any = export.response()
    if response.headers.get("content-type", "").startswith(JSON):
        Parse(response.content, answer)
    else:
        answer.ParseFromString(response.content)
    rejected = getattr(answer.partial_success, export.rejected_field)
    return Sent(items - rejected, rejected)


def _post(client: httpx.Client, body: Captured) -> httpx.Response:
    pauses = waits(attempts=8)
    while True:
        try:
            return _post_once(client, body)
        except (httpx.TransportError, _TryAgain) as error:
            pause_s = next(pauses, None)
            if pause_s is None:
                raise
            asked_s = error.after_s if isinstance(error, _TryAgain) else 0.0
        time.sleep(max(pause_s, asked_s))


def _post_once(client: httpx.Client, body: Captured) -> httpx.Response:
    headers = {"Content-Type": body.content_type}
    if body.content_encoding:
        headers["Content-Encoding"] = body.content_encoding
    response = client.post(body.path, content=body.body, headers=headers)
    if response.status_code in _RETRYABLE:
        raise _TryAgain(min(float(response.headers.get("Retry-After", "0") or 0), 10))
    return response


def _shift(captured: Captured, offset_ns: int) -> Captured:
    try:
        message = EXPORTS[PATHS[captured.path]].request.FromString(protobuf_of(captured))
    except DecodeError:
        return captured
    _shift_times(message, offset_ns)
    return Captured(
        captured.path,
        PROTOBUF,
        None,
        message.SerializeToString(),
        captured.recorded_at + offset_ns / 1e9,
    )


def protobuf_of(captured: Captured) -> bytes:
    """The body as plain protobuf; what cannot be read is left to the receiver to refuse."""
    try:
        plain = decompress(captured.body, captured.content_encoding or "", _MAX_BYTES)
        if captured.content_type.startswith(JSON):
            return json_to_protobuf(PATHS[captured.path], plain)
    except BadBody:
        return captured.body
    return plain


def _shift_times(message: Any, offset_ns: int) -> None:
    """Move every set time field of a message and of all messages below it."""
    for descriptor, value in message.ListFields():
        if descriptor.name in _TIMES:
            setattr(message, descriptor.name, max(value + offset_ns, 1))
        elif descriptor.message_type is not None and descriptor.name != "attributes":
            for below in value if descriptor.is_repeated else [value]:
                _shift_times(below, offset_ns)


def _from_folder(folder: Path) -> Iterator[Captured]:
    root = folder / "otlp" if (folder / "otlp").is_dir() else folder
    for line in (root / "index.jsonl").read_text().splitlines():
        entry = json.loads(line)
        yield _captured(entry, (root / entry["file"]).read_bytes())


def _from_tar(file: Path) -> Iterator[Captured]:
    with tarfile.open(file) as archive:
        members = {m.name.removeprefix("./"): m for m in archive.getmembers() if m.isfile()}
        index = archive.extractfile(members["otlp/index.jsonl"])
        lines = index.read().decode().splitlines() if index else []
        for line in lines:
            entry = json.loads(line)
            body = archive.extractfile(members[f"otlp/{entry['file']}"])
            yield _captured(entry, body.read() if body else b"")


def _captured(entry: dict[str, Any], body: bytes) -> Captured:
    if entry["path"] not in PATHS:
        raise ValueError("unknown path")
    return Captured(
        entry["path"],
        entry.get("content_type") or PROTOBUF,
        entry.get("content_encoding"),
        body,
        float(entry["ts"]),
    )
