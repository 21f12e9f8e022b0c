"""One input through its door, and how many items the harness itself counts in it.

Here: sending, and which answers are allowed. Not here: which input a number stands for (`doors`), the product
(`product`), what must hold afterwards (`campaign`).
"""

import asyncio
import contextlib
import gzip
import time
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pyarrow as pa
import yaml
import zstandard
from google.protobuf.message import DecodeError

from ingestion.collectors.prometheus.jobs import JobsProblem, Target, load_jobs
from ingestion.collectors.prometheus.relabelling import read_rules
from ingestion.collectors.prometheus.scraper import ScrapeFailed, as_request, scrape
from ingestion.receivers.decoding.protobuf import BadBody
from ingestion.receivers.doors import sentry
from ingestion.receivers.doors.http import JSON, PATHS, PROTOBUF
from live_tail.alerts.importing.importer import Untranslatable, import_file
from live_tail.alerts.rules.rule_files import RuleProblem, load_rules
from privacy.process_log.log import place_of
from tests.fuzz import otlp, otlp_counts
from tests.fuzz.doors import Input
from tests.fuzz.product import Aborted, Product

_PATH = {signal: path for path, signal in PATHS.items()}
_LONGEST_S = 120
_REFUSALS = frozenset({400, 413, 415, 429})
_RPC_REFUSALS = frozenset({"INVALID_ARGUMENT", "UNAVAILABLE"})


@dataclass(frozen=True)
class Sent:
    """What came of it: items by signal and by the harness' own count; a problem is what must not happen.

    `told` are those among `arrived` that a collector of ours said it could not use.
    """

    arrived: Counter[str] = field(default_factory=Counter)
    status: str = ""
    problem: str = ""
    told: Counter[str] = field(default_factory=Counter)


async def send(product: Product, given: Input) -> Sent:
    """Put an input through its door."""
    try:
        async with asyncio.timeout(_LONGEST_S):
            return await _SENDERS[given.door](product, given)
    except Exception as error:  # noqa: BLE001 - that nothing is raised is what is tested
        return Sent(problem=place_of(error))


async def _send_otlp(product: Product, given: Input) -> Sent:
    headers = {"content-type": given.content_type}
    if given.encoding:
        headers["content-encoding"] = given.encoding
    status, answer = await product.post(_PATH[given.signal], given.body, headers)
    if status in _REFUSALS:
        return Sent(_items(given, 1), str(status), "" if answer else "a refusal without a reason")
    if status != 200:
        return Sent(status=str(status), problem=f"status {status}")
    if given.content_type == JSON:
        return Sent(_items(given, otlp_counts.items_in_json(given.signal, given.body)), "200")
    plain = _plain(given.body, given.encoding)
    return Sent(_items(given, _counted(given.signal, plain)), "200")


def _items(given: Input, count: int) -> Counter[str]:
    return Counter({given.signal: count})


def _plain(body: bytes, encoding: str) -> bytes:
    encoding = encoding.lower()
    if encoding in {"gzip", "x-gzip", "deflate"}:
        is_gzip = body.startswith(b"\x1f\x8b")
        return gzip.decompress(body) if is_gzip else zlib.decompressobj().decompress(body)
    if encoding == "br":
        return pa.CompressedInputStream(pa.BufferReader(body), "brotli").read()
    return zstandard.ZstdDecompressor().stream_reader(body).read() if encoding == "zstd" else body


def _counted(signal: str, body: bytes) -> int:
    try:
        return otlp_counts.items_in(signal, otlp.REQUESTS[signal].FromString(body))
    except DecodeError:
        return otlp_counts.items_on_the_wire(signal, body)


async def _send_grpc(product: Product, given: Input) -> Sent:
    try:
        await product.call(given.signal, given.body)
    except Aborted as refusal:
        is_allowed = refusal.code in _RPC_REFUSALS
        return Sent(_items(given, 1), refusal.code, "" if is_allowed else f"status {refusal.code}")
    return Sent(_items(given, _counted(given.signal, given.body)), "OK")


async def _send_scrape(product: Product, given: Input) -> Sent:
    rules = read_rules([{"source_labels": ["a"], "regex": "x.*", "action": "drop"}])
    target = Target(
        "shop", "shop:1", "http://shop:1/metrics", 15, 5, {"env": "prod"}, {},
        honor_labels=given.variant == 1, honor_timestamps=given.variant != 2,
        metric_rules=rules if given.variant == 3 else (),
    )  # fmt: skip

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=given.body, headers={"content-type": given.content_type})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        try:
            done, dropped = await scrape(client, target, None), {}
        except ScrapeFailed as failure:
            done, dropped = None, failure.dropped
    request = as_request(target, done, time.time_ns(), dropped)
    status, _ = await product.post(
        "/v1/metrics", request.SerializeToString(), {"content-type": PROTOBUF}
    )
    problem = "" if status == 200 else f"status {status}"
    told = otlp_counts.told_in(request)
    arrived = _items(given, otlp_counts.items_in("metric_points", request)) + told
    return Sent(arrived, "up" if done else "down", problem, told)


async def _send_sentry(product: Product, given: Input) -> Sent:
    path = f"/api/7/{given.content_type}/"
    status, _ = await product.post(path, given.body, {"x-sentry-auth": "Sentry sentry_key=shop"})
    if status in _REFUSALS:
        return Sent(_items(given, 1), str(status))
    if status != 200:
        return Sent(status=str(status), problem=f"status {status}")
    return Sent(_items(given, _events_in(given)), "200")


def _events_in(given: Input) -> int:
    try:
        if given.content_type == "store":
            return len(sentry.read_store(given.body).events)
        read = sentry.read_envelope(given.body)
    except BadBody:
        return 0
    return len(read.events) + len(read.skipped)


async def _send_log_file(product: Product, given: Input) -> Sent:
    """Written in two parts, in half of the cases with a rotation between them; then silence."""
    arrived: Counter[str] = Counter()
    told: Counter[str] = Counter()

    def note(path: str, body: bytes, status: int) -> None:
        signal = PATHS[path]
        request = otlp.REQUESTS[signal].FromString(body)
        arrived[signal] += otlp_counts.items_in(signal, request) if status == 200 else 1
        if signal == "metric_points":
            told.update(otlp_counts.told_in(request))

    half = len(given.body) // 2 if given.variant % 2 else len(given.body)
    async with product.tail_lock:
        product.on_log_body, product.clock_s = note, time.time()
        path = product.folder / f"f{given.number}.log"
        tail = product.tail()
        path.write_bytes(given.body[:half])
        await asyncio.to_thread(tail.step)
        if given.variant == 3:
            path.rename(path.with_suffix(".log.1"))
        with path.open("ab") as file:
            file.write(given.body[half:])
        for _ in range(3):
            product.clock_s += 2
            await asyncio.to_thread(tail.step)
        for left in product.folder.glob(f"{path.name}*"):
            left.unlink()
    return Sent(arrived + told, "sent", told=told)


async def _send_rule_file(product: Product, given: Input) -> Sent:
    """Through the importer and back, through the reader of own rules, and as scrape jobs."""
    folder = product.folder / f"rules{given.number}"
    folder.mkdir()
    path = folder / "given.yaml"
    path.write_bytes(given.body)
    status = _imported(path, folder / "own")
    try:
        load_rules([path])
    except RuleProblem as problem:
        if not all(problem.mistakes):
            return Sent(problem="a mistake without words")
    with contextlib.suppress(JobsProblem):
        load_jobs(path)
    for left in sorted(folder.rglob("*"), reverse=True):
        left.rmdir() if left.is_dir() else left.unlink()
    folder.rmdir()
    return Sent(status=status)


def _imported(path: Path, own: Path) -> str:
    try:
        found = import_file(path)
    except Untranslatable:
        return "refused"
    own.mkdir()
    (own / "own.yaml").write_text(found.as_yaml())
    made = load_rules([own])
    if {rule.name for rule in made} != {
        rule["name"] for rule in yaml.safe_load(found.as_yaml())["rules"]
    }:
        raise AssertionError("an imported rule is lost")
    return "imported"


_SENDERS: dict[str, Callable[[Product, Input], Awaitable[Sent]]] = {
    "protobuf": _send_otlp, "json": _send_otlp, "grpc": _send_grpc, "scrape": _send_scrape, "sentry": _send_sentry,
    "log_file": _send_log_file, "rule_file": _send_rule_file,
}  # fmt: skip
