"""Scraping: TTA's job lists, real client libraries' expositions, and what broken targets do."""

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from ingestion.collectors.prometheus.exposition import NotAnExposition, read_exposition
from ingestion.collectors.prometheus.exposition_otlp import ScrapeTime, to_otlp
from ingestion.collectors.prometheus.jobs import JobsProblem, Target, load_jobs, seconds
from ingestion.collectors.prometheus.relabelling import read_rules
from ingestion.collectors.prometheus.scraper import ScrapeFailed, as_request, run_scraper, scrape
from ingestion.doors.own_receiver import OwnDoor

_Answer = Callable[[BaseHTTPRequestHandler], None]


def _later() -> ScrapeTime:
    """A scrape long after the registry was made: not made for it."""
    return ScrapeTime(time.time_ns() + 10**13, time.time_ns() + 10**12)


_JOBS = """
global: {scrape_interval: 15s}
scrape_configs:
  - job_name: tta-player-experience
    static_configs: [{targets: ["player-experience:8000"], labels: {environment: staging}}]
    scrape_interval: 10s
    scrape_timeout: 5s
    honor_labels: true
    params: {format: [prometheus]}
  - job_name: player-api-staging
    metrics_path: /metrics-prom
    basic_auth: {username: prom, password: secret}
    static_configs: [{targets: ["a:8081", "b:8081"]}]
    relabel_configs:
      - {source_labels: [__address__], regex: "(.*):.*", target_label: instance, replacement: "$1"}
      - {target_label: environment, replacement: staging}
      - {source_labels: [instance], regex: b, action: drop}
  - job_name: pods
    kubernetes_sd_configs: [{role: pod}]
  - job_name: misspelt
    scrape_interval: soon
    static_configs: [{targets: ["c:1"]}]
"""


@pytest.fixture
def serve() -> Iterator[Callable[[_Answer], str]]:
    """Start a real HTTP server that answers GET and POST with a function; gives its address."""
    servers = []

    def start(answer: _Answer) -> str:
        handler = type(
            "Handler",
            (BaseHTTPRequestHandler,),
            {
                "do_GET": answer,
                "do_POST": answer,
                "log_message": lambda *_: None,
            },
        )
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _reply(body: bytes, content_type: str = "text/plain", status: int = 200) -> _Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", content_type)
        handler.end_headers()
        # A scraper that has read enough hangs up.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            handler.wfile.write(body)

    return answer


def _target(address: str, timeout_s: float = 5.0) -> Target:
    return Target("job", address, f"http://{address}/metrics", 0.1, timeout_s, {}, {})


def _scrape(target: Target):
    async def once():
        async with httpx.AsyncClient() as client:
            return await scrape(client, target, None)

    return asyncio.run(once())


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    requests = Counter("tta_http_requests", "requests", ["method"], registry=registry)
    requests.labels("GET").inc(3)
    requests.labels("POST").inc(2)
    Gauge("tta_active_connections", "now", registry=registry).set(7)
    latency = Histogram("tta_latency_seconds", "time", registry=registry, buckets=[0.1, 1])
    for value in (0.05, 0.5, 5):
        latency.observe(value)
    Summary("tta_backoff_seconds", "time", registry=registry).observe(2)
    return registry


def test_a_job_list_of_tta_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "prometheus.yml"
    path.write_text(_JOBS)
    jobs = load_jobs(path)
    player, api = jobs.targets
    assert player.url == "http://player-experience:8000/metrics?format=prometheus"
    assert (player.interval_s, player.timeout_s) == (10, 5)
    assert player.labels == {"environment": "staging"}
    assert (api.instance, api.url) == ("a", "http://a:8081/metrics-prom")
    assert api.interval_s == 15
    assert api.headers["Authorization"].startswith("Basic ")


def test_what_a_job_list_has_that_is_not_scraped_is_named(tmp_path: Path) -> None:
    path = tmp_path / "prometheus.yml"
    path.write_text(_JOBS)
    skipped = load_jobs(path).skipped
    assert any("pods: kubernetes_sd_configs" in reason for reason in skipped)
    assert any("misspelt" in reason and "soon" in reason for reason in skipped)


@pytest.mark.parametrize("text", [None, "{", "jobs: []"])
def test_an_unusable_job_list_is_a_clear_error(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "prometheus.yml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(JobsProblem, match=r"prometheus\.yml"):
        load_jobs(path)


def test_durations_are_read_as_prometheus_writes_them() -> None:
    assert [seconds(d) for d in ("15s", "1m30s", "500ms")] == [15, 90, 0.5]
    with pytest.raises(ValueError, match="not a duration"):
        seconds("10")


def test_an_unknown_relabel_action_is_refused() -> None:
    with pytest.raises(ValueError, match="rename"):
        read_rules([{"action": "rename"}])


@pytest.mark.parametrize("generate", [generate_latest, generate_openmetrics])
def test_every_kind_of_metric_keeps_its_numbers(generate: Callable[..., bytes]) -> None:
    content_type = "application/openmetrics-text" if generate is generate_openmetrics else ""
    exposition = read_exposition(generate(_registry()).decode(), content_type)
    metrics = to_otlp(exposition, _later())
    sums = [m for m in metrics if m.name == "tta_http_requests_total"]
    assert sorted(m.sum.data_points[0].as_double for m in sums) == [2, 3]
    assert all(m.sum.is_monotonic and m.sum.aggregation_temporality == 2 for m in sums)
    by_name = {m.name: m for m in metrics}
    assert by_name["tta_active_connections"].gauge.data_points[0].as_double == 7
    histogram = by_name["tta_latency_seconds"].histogram.data_points[0]
    assert list(histogram.bucket_counts) == [1, 1, 1]
    assert (histogram.count, list(histogram.explicit_bounds)) == (3, [0.1, 1])
    assert by_name["tta_backoff_seconds"].summary.data_points[0].sum == 2


def test_created_is_the_start_time_and_no_metric_of_its_own() -> None:
    exposition = read_exposition(generate_latest(_registry()).decode(), "")
    metrics = to_otlp(exposition, _later())
    assert not [m.name for m in metrics if m.name.endswith("_created")]
    starts = [
        p.start_time_unix_nano for m in metrics if m.HasField("sum") for p in m.sum.data_points
    ]
    assert all(abs(start - time.time_ns()) < 60e9 for start in starts)


def test_a_registry_made_anew_for_each_scrape_gives_deltas() -> None:
    before = ScrapeTime(time.time_ns(), time.time_ns() - 10**10)
    quoted = json.dumps(generate_latest(_registry()).decode())
    metrics = to_otlp(read_exposition(quoted, "application/json"), before)
    counters = [m for m in metrics if m.HasField("sum")]
    assert counters
    assert all(m.sum.aggregation_temporality == 1 for m in counters)


def test_a_quoted_registry_that_lives_on_stays_cumulative() -> None:
    quoted = json.dumps(generate_latest(_registry()).decode())
    metrics = to_otlp(read_exposition(quoted, "application/json"), _later())
    assert all(m.sum.aggregation_temporality == 2 for m in metrics if m.HasField("sum"))


def test_bad_lines_cost_only_themselves() -> None:
    body = "good 1\nbroken{ 2\nalso_good 3\nvalue_missing\n"
    exposition = read_exposition(body, "text/plain")
    assert sum(exposition.faults.values()) == 2
    assert [m.name for m in to_otlp(exposition, _later())] == ["good", "also_good"]


def test_nan_is_no_value_and_not_zero() -> None:
    (metric,) = to_otlp(read_exposition("temperature NaN\n", ""), _later())
    point = metric.gauge.data_points[0]
    assert (point.flags, point.WhichOneof("value")) == (1, None)


def test_a_histogram_without_infinity_counts_the_rest_from_its_count() -> None:
    body = '# TYPE h histogram\nh_bucket{le="1"} 4\nh_count 6\nh_sum NaN\n'
    (metric,) = to_otlp(read_exposition(body, ""), _later())
    point = metric.histogram.data_points[0]
    assert list(point.bucket_counts) == [4, 2]
    assert not point.HasField("sum")


@pytest.mark.parametrize("body", ["", '{"messages": 1}', "<html></html>", '"not metrics"'])
def test_an_answer_without_samples_says_so(body: str) -> None:
    with pytest.raises(NotAnExposition, match="metrics_path"):
        read_exposition(body, "application/json")


def test_a_target_that_hangs_costs_its_timeout_only(serve: Callable[[_Answer], str]) -> None:
    address = serve(lambda _: threading.Event().wait(3))
    started = time.monotonic()
    with pytest.raises(ScrapeFailed, match=r"no answer within 0\.2 s"):
        _scrape(_target(address, timeout_s=0.2))
    assert time.monotonic() - started < 3


def test_a_missing_page_and_a_closed_port_are_failed_scrapes(
    serve: Callable[[_Answer], str],
) -> None:
    with pytest.raises(ScrapeFailed, match="404"):
        _scrape(_target(serve(_reply(b"", status=404))))
    with pytest.raises(ScrapeFailed, match="ConnectError"):
        _scrape(_target("127.0.0.1:1"))


def test_an_endless_answer_is_cut_off(
    serve: Callable[[_Answer], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.collectors.prometheus.scraper.MAX_BYTES", 1_000)
    with pytest.raises(ScrapeFailed, match="larger than 1000"):
        _scrape(_target(serve(_reply(b"a 1\n" * 1_000))))


def test_the_component_is_the_job_and_up_tells_of_the_target(
    serve: Callable[[_Answer], str],
) -> None:
    target = _target(serve(_reply(generate_latest(_registry()))))
    request = as_request(target, _scrape(target), time.time_ns())
    resource = {
        a.key: a.value.string_value for a in request.resource_metrics[0].resource.attributes
    }
    assert resource["service.name"] == "job"
    points = {
        m.name: m.gauge.data_points[0].as_double
        for m in request.resource_metrics[0].scope_metrics[0].metrics
        if m.HasField("gauge")
    }
    assert points["up"] == 1
    assert points["scrape_samples_scraped"] > 10
    down = as_request(target, None, time.time_ns())
    (only,) = down.resource_metrics[0].scope_metrics[0].metrics
    assert (only.name, only.gauge.data_points[0].as_double) == ("up", 0)


def _door(address: str) -> OwnDoor:
    host, _, port = address.partition(":")
    return OwnDoor(host, int(port), "a token")


def _three_scrapes() -> tuple[list[bytes], threading.Event, _Answer]:
    """A receiver: what it was sent, and whether one target's requests came three times."""
    received: list[bytes] = []
    enough = threading.Event()

    def receive(handler: BaseHTTPRequestHandler) -> None:
        assert handler.headers["Authorization"] == "Bearer a token"
        received.append(handler.rfile.read(int(handler.headers["Content-Length"])))
        if sum(b"tta_http_requests_total" in body for body in received) >= 3:
            enough.set()
        _reply(b"")(handler)

    return received, enough, receive


def test_targets_are_scraped_again_and_again_and_one_that_is_down_stops_no_other(
    serve: Callable[[_Answer], str],
) -> None:
    received, enough, receive = _three_scrapes()
    good, down = _target(serve(_reply(generate_latest(_registry())))), _target("127.0.0.1:1")
    door = _door(serve(receive))

    async def run() -> None:
        work = asyncio.create_task(run_scraper((good, down), door))
        assert await asyncio.to_thread(enough.wait, 30)
        work.cancel()

    asyncio.run(run())
    assert any(b"tta_http_requests_total" not in body for body in received)


def test_an_error_of_ours_at_one_target_stops_no_other_and_is_told(
    serve: Callable[[_Answer], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, enough, receive = _three_scrapes()

    def read(body: str, content_type: str):
        if "unforeseen" in body:
            raise AttributeError
        return read_exposition(body, content_type)

    monkeypatch.setattr("ingestion.collectors.prometheus.scraper.read_exposition", read)
    good = _target(serve(_reply(generate_latest(_registry()) + b"odd{ 1\n")))
    broken = _target(serve(_reply(b"unforeseen 1\n")))
    # A header that cannot be sent is found out while asking, not while reading.
    mute = replace(good, headers={"Authorization": "Bearer \ud800"})
    door = _door(serve(receive))

    async def run() -> None:
        work = asyncio.create_task(run_scraper((mute, broken, good), door))
        assert await asyncio.to_thread(enough.wait, 30)
        work.cancel()

    asyncio.run(run())
    log = capsys.readouterr().err
    assert "AttributeError" in log
    assert "the labels cannot be read" in log
