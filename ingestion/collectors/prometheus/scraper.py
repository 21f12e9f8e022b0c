"""Scrapes Prometheus targets on their interval and sends what they answer as OTLP.

Here: fetching within a time and a size, one task per target, `up` and the scrape's own numbers. Not
here: which targets (`jobs`) and formats (`exposition`). Labels pass the gate at the receiver
like every attribute. Source: Prometheus documentation, "Jobs and instances" (`up`,
`scrape_duration_seconds`).
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from ingestion.collectors.prometheus.exposition import NotAnExposition, read_exposition
from ingestion.collectors.prometheus.exposition_otlp import ScrapeTime, to_otlp
from ingestion.collectors.prometheus.job_http import Http
from ingestion.collectors.prometheus.jobs import Target
from ingestion.collectors.prometheus.scraped_samples import labelled
from ingestion.contracts.told import drop_metric
from ingestion.doors.backoff import waits
from ingestion.doors.own_receiver import OwnDoor
from privacy.process_log.log import logger, place_of

MAX_BYTES = 16 * 1024 * 1024
_ACCEPT = (
    "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
_RESOURCE_NAMES = {
    "environment": "deployment.environment.name",
    "namespace": "service.namespace",
    "host": "host.name",
    "version": "service.version",
}
_PATH = "/v1/metrics"
_SCOPE = "tta_monitor.prometheus"
_log = logger()


class ScrapeFailed(Exception):
    """The target gave nothing to read; the message has none of its text.

    `dropped` says by which rule an answer that did come counts for nothing.
    """

    def __init__(self, message: str, dropped: str = "") -> None:
        super().__init__(message)
        self.dropped = {dropped: 1} if dropped else {}


@dataclass(frozen=True)
class Scrape:
    """One target's answer as OTLP metrics, and how long it took."""

    metrics: list[Metric]
    at_ns: int
    duration_s: float
    samples: int
    faults: Mapping[str, int]
    dropped: Mapping[str, int] = field(default_factory=dict)


async def run_scraper(targets: tuple[Target, ...], door: OwnDoor) -> None:
    """Scrape all targets until cancelled."""
    async with contextlib.AsyncExitStack() as open_:
        # The way to this machine's own receiver leads through no proxy.
        own = httpx.AsyncClient(base_url=door.url, headers=door.headers, trust_env=False)
        sender = await open_.enter_async_context(own)
        # Targets of one job share what a connection needs, certificates for instance.
        clients = {
            http: await open_.enter_async_context(_client(http))
            for http in {target.http for target in targets}
        }
        async with asyncio.TaskGroup() as tasks:
            for target in targets:
                tasks.create_task(_scrape_forever(clients[target.http], sender, target))


async def scrape(client: httpx.AsyncClient, target: Target, previous_ns: int | None) -> Scrape:
    """One scrape; raises ScrapeFailed after `target.timeout_s` or for an unusable answer."""
    started = time.perf_counter()
    at_ns = time.time_ns()
    try:
        async with asyncio.timeout(target.timeout_s):
            body, content_type = await _fetch(client, target)
    except TimeoutError:
        raise ScrapeFailed(f"no answer within {target.timeout_s:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise ScrapeFailed(type(error).__name__) from None
    try:
        exposition = await asyncio.to_thread(read_exposition, body, content_type)
        chosen = await asyncio.to_thread(labelled, exposition, target)
        metrics = await asyncio.to_thread(to_otlp, chosen, ScrapeTime(at_ns, previous_ns))
    except NotAnExposition as error:
        raise ScrapeFailed(str(error), "an answer that is no exposition") from None
    took_s = time.perf_counter() - started
    return Scrape(metrics, at_ns, took_s, exposition.samples, chosen.faults, chosen.dropped)


def as_request(
    target: Target, done: Scrape | None, at_ns: int, dropped: Mapping[str, int] | None = None
) -> ExportMetricsServiceRequest:
    """The export of one scrape; None says the target did not answer: only `up` 0 is sent.

    `dropped` is what a scrape without a result counts for nothing, by reason.
    """
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    labels = {_RESOURCE_NAMES.get(k, k): v for k, v in target.labels.items()}
    labels |= {"service.name": target.job, "service.instance.id": target.instance}
    resource.resource.attributes.extend(_text(name, value) for name, value in labels.items())
    scope = resource.scope_metrics.add()
    scope.scope.name = _SCOPE
    gauges = {"up": 0.0 if done is None else 1.0}
    if done is not None:
        scope.metrics.extend(done.metrics)
        gauges["scrape_duration_seconds"] = done.duration_s
        gauges["scrape_samples_scraped"] = float(done.samples)
        gauges["scrape_samples_unreadable"] = float(sum(done.faults.values()))
    for name, value in gauges.items():
        metric = scope.metrics.add(name=name)
        point = metric.gauge.data_points.add(time_unix_nano=at_ns, as_double=value)
        point.attributes.extend([_text("job", target.job), _text("instance", target.instance)])
    if lost := (done.dropped if done is not None else dropped):
        scope.metrics.append(drop_metric("metric_points", lost, at_ns))
    return request


def _client(http: Http) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        follow_redirects=http.follow_redirects, verify=http.verify, proxy=http.proxy_url
    )


async def _scrape_forever(
    client: httpx.AsyncClient, sender: httpx.AsyncClient, target: Target
) -> None:
    told = _Told(target.job)
    previous_ns: int | None = None
    # Spread over the interval, as Prometheus does, so that targets are not hit all at once.
    await asyncio.sleep(random.random() * min(target.interval_s, 5))  # noqa: S311
    due = time.monotonic()
    while True:
        done: Scrape | None = None
        cause = ""
        dropped: Mapping[str, int] = {}
        try:
            done = await scrape(client, target, previous_ns)
            previous_ns = done.at_ns
        except ScrapeFailed as failure:
            cause, dropped = str(failure), failure.dropped
        except Exception as error:  # noqa: BLE001 - one target never stops the others
            cause = f"an error of ours ({place_of(error)})"
        told.tell(done, cause)
        try:
            await _send(sender, as_request(target, done, time.time_ns(), dropped))
        except Exception as error:  # noqa: BLE001 - likewise
            _log.error("a scrape could not be sent", job=target.job, cause=place_of(error))
        due = max(due + target.interval_s, time.monotonic())
        await asyncio.sleep(due - time.monotonic())


class _Told:
    """What the log knows of a target: a change is told once."""

    def __init__(self, job: str) -> None:
        self._job = job
        self._was_up: bool | None = None
        self._faults: frozenset[str] = frozenset()

    def tell(self, done: Scrape | None, cause: str) -> None:
        """Whether it answers, and why lines of its answer were not read as they stand."""
        if (done is not None) != self._was_up:
            self._was_up = done is not None
            _log.info("scrape target", job=self._job, up=self._was_up, cause=cause)
        if done is None:
            return
        for reason in sorted(done.faults.keys() - self._faults):
            lines = done.faults[reason]
            _log.warning("lines of a scrape are odd", job=self._job, cause=reason, items=lines)
        self._faults = frozenset(done.faults)


async def _fetch(client: httpx.AsyncClient, target: Target) -> tuple[str, str]:
    headers = {"Accept": _ACCEPT, **target.headers}
    async with client.stream("GET", target.url, headers=headers) as response:
        if response.status_code != 200:
            raise ScrapeFailed(f"the target answered {response.status_code}")
        chunks = bytearray()
        async for chunk in response.aiter_bytes():
            chunks += chunk
            if len(chunks) > MAX_BYTES:
                raise ScrapeFailed(
                    f"the answer is larger than {MAX_BYTES} bytes", "an answer that is too large"
                )
    return chunks.decode("utf-8", "surrogateescape"), response.headers.get("content-type", "")


async def _send(client: httpx.AsyncClient, request: ExportMetricsServiceRequest) -> None:
    """Send with retries; per-scrape deltas are lost for good when they are not.

    What the receiver refuses for good it has counted; it would refuse it again.
    """
    body = request.SerializeToString()
    headers = {"Content-Type": "application/x-protobuf"}
    pauses = waits(attempts=6)
    while True:
        try:
            response = await client.post(_PATH, content=body, headers=headers)
            if response.is_client_error and response.status_code != 429:
                _log.warning("a scrape was refused", cause=str(response.status_code))
                return
            response.raise_for_status()
            return
        except httpx.HTTPError as error:
            pause_s = next(pauses, None)
            if pause_s is None:
                _log.warning("a scrape could not be delivered", cause=type(error).__name__)
                return
        await asyncio.sleep(pause_s)


def _text(name: str, value: str) -> KeyValue:
    return KeyValue(key=name, value=AnyValue(string_value=value))
