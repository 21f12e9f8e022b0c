"""One input of each kind for its door.

Here: which input a number stands for. Not here: sending it (`sending`), the product (`product`), what must hold
afterwards (`campaign`).
"""

import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import pyarrow as pa
import zstandard

from ingestion.receivers.doors.http import JSON, PATHS, PROTOBUF
from tests.fuzz import envelopes, expositions, log_texts, otlp, otlp_json, rule_texts
from tests.fuzz.mutations import spoilt

SIGNALS = tuple(PATHS.values())
SHARES = {
    "protobuf": 30,
    "json": 22,
    "grpc": 14,
    "scrape": 12,
    "sentry": 12,
    "log_file": 4,
    "rule_file": 6,
}


@dataclass(frozen=True)
class Seeds:
    """Sound bodies that inputs are made of."""

    captured: dict[str, list[bytes]]
    now_ns: int


@dataclass(frozen=True)
class Input:
    """One thing that is sent: a body with what stands around it."""

    number: int
    door: str
    signal: str
    body: bytes
    content_type: str = ""
    encoding: str = ""
    variant: int = 0


def make(seeds: Seeds, seed: int, number: int) -> Input:
    """The input of a number: the same for the same seed and time."""
    chance = Random(f"{seed}/{number}")
    door = chance.choices(list(SHARES), list(SHARES.values()))[0]
    return _MAKERS[door](chance, seeds, number, door)


def _otlp(chance: Random, seeds: Seeds, number: int, door: str) -> Input:
    signal = chance.choice(SIGNALS)
    body = _protobuf(chance, seeds, signal)
    content_type, encoding = PROTOBUF, ""
    if chance.random() < 0.04:
        signal = chance.choice(SIGNALS)
    if door == "protobuf" and chance.random() < 0.15:
        encoding = chance.choice(("gzip", "x-gzip", "deflate", "zstd", "br", "GZIP", "gzip"))
        body = _packed(chance, body, encoding)
    if door == "protobuf" and chance.random() < 0.02:
        content_type = chance.choice(
            ("text/plain", "", "application/x-protobuf;charset=x", "application/json")
        )
    return Input(number, door, signal, body, content_type, encoding)


def _protobuf(chance: Random, seeds: Seeds, signal: str) -> bytes:
    kind = chance.random()
    if kind < 0.25:
        return spoilt(chance, chance.choice(seeds.captured[signal]), seeds.captured[signal])
    body = otlp.request(chance, signal, seeds.now_ns).SerializeToString()
    return spoilt(chance, body, seeds.captured[signal]) if kind > 0.8 else body


def _packed(chance: Random, body: bytes, encoding: str) -> bytes:
    packed = zlib.compress(body) if encoding == "deflate" else gzip.compress(body, 1, mtime=0)
    if encoding == "zstd":
        packed = zstandard.compress(body)
    if encoding == "br":
        packed = pa.compress(body, codec="brotli", asbytes=True)
    return spoilt(chance, packed, []) if chance.random() < 0.3 else packed


def _json(chance: Random, seeds: Seeds, number: int, door: str) -> Input:
    signal = chance.choice(SIGNALS)
    body = otlp_json.as_json(otlp.request(chance, signal, seeds.now_ns))
    kind = chance.random()
    if kind < 0.45:
        body = otlp_json.json_tree_spoilt(chance, body)
    elif kind < 0.7:
        body = spoilt(chance, body, [])
    elif kind < 0.72:
        body = b"[" * chance.randrange(50, 5_000)
    elif kind < 0.75:
        body = body.replace(b'"resource', b'"resource', 1).replace(b"scopeSpans", b"scope_spans")
    return Input(number, door, signal, body, JSON)


def _scraped(chance: Random, seeds: Seeds, number: int, door: str) -> Input:
    body, content_type = expositions.exposition(chance)
    if chance.random() < 0.5:
        body = spoilt(chance, body, [text.encode() for text, _ in expositions.SOUND])
    return Input(number, door, "metric_points", body, content_type, variant=chance.randrange(4))


def _sentry(chance: Random, seeds: Seeds, number: int, door: str) -> Input:
    form = "store" if chance.random() < 0.25 else "envelope"
    if form == "store":
        body = json.dumps(envelopes.event(chance, seeds.now_ns)).encode()
    else:
        body = envelopes.envelope(chance, seeds.now_ns)
    if chance.random() < 0.4:
        body = spoilt(chance, body, [])
    return Input(number, door, "logs", body, content_type=form)


def _logged(chance: Random, seeds: Seeds, number: int, door: str) -> Input:
    body = log_texts.log_file(chance)
    if chance.random() < 0.4:
        body = spoilt(chance, body, [])
    return Input(number, door, "logs", body, variant=chance.randrange(4))


def _ruled(chance: Random, seeds: Seeds, number: int, door: str) -> Input:
    sound = rule_texts.sound()
    body = chance.choice(sound) if chance.random() < 0.5 else rule_texts.rule_file(chance)
    if chance.random() < 0.7:
        body = spoilt(chance, body, sound)
    return Input(number, door, "", body)


_MAKERS: dict[str, Callable[[Random, Seeds, int, str], Input]] = {
    "protobuf": _otlp, "grpc": _otlp, "json": _json, "scrape": _scraped, "sentry": _sentry, "log_file": _logged,
    "rule_file": _ruled,
}  # fmt: skip
