"""Making TTA traffic: real SDK providers per component, times and ids from a seeded source.

Here: requests with their database, AI and WebSocket spans, logs, engagement events and metrics. Not
here: the numbers (`story`). E-mails, names and tokens are planted where real TTA leaks them, so that
the gate has work in every demo; all persons are invented.
"""

import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from opentelemetry._logs import Logger, LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context

from tta_monitor.simulator import story

_NS = 1_000_000
_DELAY_MS, _METRICS_EVERY_MS = 1_000, 5_000


class _SeededIds(IdGenerator):
    """Ids from the seeded source, as TTA's own seeding of `random` makes them."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def generate_span_id(self) -> int:
        """64 random bits, never 0."""
        return self._chance.getrandbits(64) | 1

    def generate_trace_id(self) -> int:
        """128 random bits, never 0."""
        return self._chance.getrandbits(128) | 1


@dataclass(frozen=True)
class _Service:
    name: str
    tracer: TracerProvider
    logs: LoggerProvider
    meter: MeterProvider


@dataclass(frozen=True)
class Pipes:
    """Where the telemetry of a service goes: a maker of each, called once per service."""

    spans: Callable[[], SpanProcessor]
    logs: Callable[[], LogRecordProcessor]
    metrics: Callable[[], MetricReader]

    @classmethod
    def to(cls, endpoint: str) -> "Pipes":
        """OTLP over HTTP, as the SDK does it."""
        return cls(
            lambda: BatchSpanProcessor(
                OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces"), schedule_delay_millis=_DELAY_MS
            ),
            lambda: BatchLogRecordProcessor(
                OTLPLogExporter(endpoint=f"{endpoint}/v1/logs"), schedule_delay_millis=_DELAY_MS
            ),
            lambda: PeriodicExportingMetricReader(
                OTLPMetricExporter(endpoint=f"{endpoint}/v1/metrics"),
                export_interval_millis=_METRICS_EVERY_MS,
            ),
        )


class Traffic:
    """A seeded stream of TTA requests; `request(now_ns)` plays one with all that is below it.

    With `is_calm` there is no incident.
    """

    def __init__(self, seed: int, pipes: Pipes, *, is_calm: bool = False) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - traffic, not keys
        self._is_calm = is_calm
        self._player_api = self._service("player-experience-api", "1.0.0", pipes)
        self._agents = self._service("agent-orchestration", "0.9.2", pipes)
        self._probe = self._service("health-check-service", "1.2.0", pipes)
        self._started_ns: int | None = None
        self._is_redis_down = False
        self._observe()

    def request(self, now_ns: int) -> None:
        """One request that ends about now, with everything below it."""
        self._started_ns = self._started_ns or now_ns
        self._is_redis_down = not self._is_calm and story.is_outage(
            self._started_ns / 1e9, now_ns / 1e9
        )
        route = self._chance.choices(story.ROUTES, [r.weight for r in story.ROUTES])[0]
        tracer = self._player_api.tracer.get_tracer(
            "opentelemetry.instrumentation.fastapi", "0.60b1"
        )
        is_failed = self._is_redis_down and route.redis_calls > 0
        start_ns = now_ns - self._duration_ns(route.median_ms)
        # The keep-alive trap of the real instrumentation: a fifth of requests are INTERNAL.
        kind = SpanKind.INTERNAL if self._chance.random() < 0.21 else SpanKind.SERVER
        span = tracer.start_span(
            f"{route.method} {route.template}",
            context=Context(),
            kind=kind,
            start_time=start_ns,
            attributes=self._request_attributes(route, 500 if is_failed else 200),
        )
        below = set_span_in_context(span, Context())
        at_ns = self._databases(route, below, start_ns)
        at_ns = max(self._ai_calls(route, below, at_ns), now_ns)
        self._noise(tracer, route, below, at_ns)
        if is_failed:
            self._fail(span, at_ns)
        span.end(end_time=at_ns)
        self._log(route, at_ns, is_failed)
        if self._chance.random() < 0.05:
            self._websocket(at_ns)

    def close(self) -> None:
        """Flush and stop the exporters."""
        for service in (self._player_api, self._agents, self._probe):
            service.tracer.shutdown()
            service.logs.shutdown()
            service.meter.shutdown()

    def _service(self, name: str, version: str, pipes: Pipes) -> _Service:
        resource = Resource(
            {
                "service.name": name,
                "service.version": version,
                "service.instance.id": f"{name}-1",
                "deployment.environment": "demo",
                "host.name": "tta-demo",
                "telemetry.sdk.language": "python",
                "telemetry.sdk.name": "opentelemetry",
            }
        )
        tracer = TracerProvider(resource=resource, id_generator=_SeededIds(self._chance))
        tracer.add_span_processor(pipes.spans())
        logs = LoggerProvider(resource=resource)
        logs.add_log_record_processor(pipes.logs())
        return _Service(name, tracer, logs, MeterProvider([pipes.metrics()], resource))

    def _duration_ns(self, median_ms: float) -> int:
        """Heavy-tailed: log-normal with a long right side."""
        return int(median_ms * math.exp(self._chance.gauss(0, 0.55)) * _NS)

    def _request_attributes(self, route: story.Route, status: int) -> dict[str, str | int]:
        id_text = f"{self._chance.getrandbits(128):032x}"
        path = route.template.replace("{session_id}", id_text).replace("{player_id}", id_text)
        return {
            "http.method": route.method,
            "http.route": route.template,
            "http.target": path,
            "http.scheme": "http",
            "http.status_code": status,
            "http.host": "127.0.0.1:8080",
            "net.peer.ip": f"10.0.0.{self._chance.randint(1, 250)}",
            "http.user_agent": "tta-web/1.0",
        }

    def _databases(self, route: story.Route, below: Context, at_ns: int) -> int:
        redis = self._player_api.tracer.get_tracer("opentelemetry.instrumentation.redis", "0.60b1")
        for _ in range(route.redis_calls):
            verb = self._chance.choice(story.REDIS_VERBS)
            attributes = {"db.system": "redis", "db.statement": f"{verb} ?", "net.peer.port": 6379}
            span = redis.start_span(
                verb, below, SpanKind.CLIENT, attributes=attributes, start_time=at_ns
            )
            if self._is_redis_down:
                span.set_status(Status(StatusCode.ERROR, "ConnectionError: Connection refused"))
            at_ns += self._duration_ns(0.7)
            span.end(end_time=at_ns)
        neo4j = self._player_api.tracer.get_tracer("neo4j", "6.4")
        for _ in range(route.neo4j_calls):
            label = self._chance.choice(story.NEO4J_LABELS)
            attributes = {
                "db.system.name": "neo4j",
                "db.operation.name": "MATCH",
                "db.collection.name": label,
                "db.query.text": f"MATCH (n:{label} {{id: $id}}) RETURN n",
                "db.response.returned_rows": self._chance.randint(0, 20),
            }
            span = neo4j.start_span(
                f"MATCH {label}", below, SpanKind.CLIENT, attributes=attributes, start_time=at_ns
            )
            at_ns += self._duration_ns(4)
            span.end(end_time=at_ns)
        return at_ns

    def _ai_calls(self, route: story.Route, below: Context, at_ns: int) -> int:
        tracer = self._agents.tracer.get_tracer("opentelemetry.instrumentation.openai_v2", "2.1b0")
        # The agents of a turn work side by side.
        last_ns = at_ns
        for _ in range(route.ai_calls):
            model = self._chance.choices(story.MODELS, [m.weight for m in story.MODELS])[0]
            output = self._chance.randint(15, 220)
            took_ns = int((model.first_chunk_ms + output / model.tokens_per_s * 1e3) * _NS / 4)
            span = tracer.start_span(
                f"chat {model.name}",
                below,
                SpanKind.CLIENT,
                attributes={
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": model.provider,
                    "gen_ai.request.model": model.name,
                    "gen_ai.response.model": model.name,
                    "gen_ai.usage.input_tokens": self._chance.randint(90, 900),
                    "gen_ai.usage.output_tokens": output,
                    "gen_ai.usage.cache_read.input_tokens": self._chance.randint(0, 80),
                    "gen_ai.response.time_to_first_chunk": model.first_chunk_ms / 1e3,
                },
                start_time=at_ns,
            )
            if self._chance.random() < story.AI_ERROR_SHARE:
                kind = self._chance.choice(story.AI_ERRORS)
                span.set_attribute("error.type", kind)
                span.set_status(Status(StatusCode.ERROR, f"model call failed: {kind}"))
            last_ns = max(last_ns, at_ns + took_ns)
            span.end(end_time=at_ns + took_ns)
        return last_ns

    def _noise(self, tracer: "object", route: story.Route, below: Context, at_ns: int) -> None:
        for event in ("http.response.start", "http.response.body"):
            span = tracer.start_span(  # type: ignore[attr-defined]
                f"{route.method} {route.template} http send",
                below,
                start_time=at_ns - 40_000,
                attributes={"asgi.event.type": event},
            )
            span.end(end_time=at_ns - 10_000)

    def _fail(self, span: Span, at_ns: int) -> None:
        name, text = "redis.exceptions.ConnectionError", "Error 111 connecting to localhost:6379."
        trace = (
            "Traceback (most recent call last):\n"
            '  File "/srv/tta/src/player_experience/services/session_store.py", line 214, in load\n'
            f"    raise error\n{name}: {text}\n"
        )
        span.add_event(
            "exception",
            {"exception.type": name, "exception.message": text, "exception.stacktrace": trace},
            timestamp=at_ns,
        )
        span.set_status(Status(StatusCode.ERROR, f"{name}: {text}"))

    def _websocket(self, at_ns: int) -> None:
        tracer = self._player_api.tracer.get_tracer("tta.websocket", "1.0.0")
        received, sent = self._chance.randint(2, 30), self._chance.randint(5, 90)
        span = tracer.start_span(
            "tta.websocket.connection",
            Context(),
            SpanKind.SERVER,
            start_time=at_ns - self._duration_ns(90_000),
            attributes={
                "url.scheme": "ws",
                "http.route": "/ws/chat",
                "http.url": "ws://127.0.0.1:8080/ws/chat?token=eyJhbGciOiJIUzI1NiJ9.eyJlIjoiYSJ9.x",
                "session.id": f"session_{self._chance.getrandbits(48):012x}",
                "tta.websocket.messages.received": received,
                "tta.websocket.messages.sent": sent,
                "tta.websocket.bytes.received": received * self._chance.randint(80, 400),
                "tta.websocket.bytes.sent": sent * self._chance.randint(200, 900),
                "tta.websocket.close_code": self._chance.choice((1000, 1000, 1000, 1001, 1006)),
            },
        )
        span.end(end_time=at_ns)

    def _log(self, route: story.Route, at_ns: int, is_failed: bool) -> None:
        logger = self._player_api.logs.get_logger("src.player_experience.api.middleware")
        number = self._chance.randint(1, 9_999)
        done = "failed" if is_failed else "completed"
        body = f"Request {done}: {route.method} {route.template} for player_{number}@example.com"
        severity = 17 if is_failed else 9
        _emit(logger, at_ns, severity, body, {"category": "api"})
        if route.template.endswith("/choices"):
            labels = {
                "tta.scene.type": self._chance.choice(story.SCENES),
                "tta.choice.type": self._chance.choice(story.CHOICES),
                "session.id": f"session_{number}",
                "tta.player.id": f"player_{number}",
            }
            _emit(logger, at_ns, 9, None, labels, event_name="choice_made")

    def _observe(self) -> None:
        """Gauges that the exporters read: process, pool and probe metrics."""
        meter = self._player_api.meter.get_meter("opentelemetry.instrumentation.system_metrics")
        meter.create_observable_counter("process.cpu.time", [_cpu_time], "s")
        meter.create_observable_gauge("process.memory.usage", [self._memory], "By")
        meter.create_observable_gauge("db.client.connection.count", [self._pool], "{connection}")
        probe = self._probe.meter.get_meter("health-check-service")
        probe.create_observable_gauge("tta_service_up", [self._service_up])

    def _memory(self, _: CallbackOptions) -> Iterator[Observation]:
        yield Observation(280e6 + self._chance.random() * 30e6)

    def _pool(self, _: CallbackOptions) -> Iterator[Observation]:
        used = self._chance.randint(1, 12)
        base = {"db.client.connection.pool.name": "neo4j", "db.system.name": "neo4j"}
        yield Observation(used, {**base, "state": "used"})
        yield Observation(16 - used, {**base, "state": "idle"})

    def _service_up(self, _: CallbackOptions) -> Iterator[Observation]:
        yield Observation(0 if self._is_redis_down else 1, {"service": "redis"})
        yield Observation(1, {"service": "neo4j"})


def simulate(
    endpoint: str,
    *,
    rate_per_s: float,
    seed: int,
    duration_s: float | None = None,
    is_calm: bool = False,
) -> None:
    """Send traffic to a receiver until stopped, or for a duration."""
    traffic = Traffic(seed, Pipes.to(endpoint), is_calm=is_calm)
    chance = random.Random(seed)  # noqa: S311 - traffic, not keys
    started = time.monotonic()
    try:
        while duration_s is None or time.monotonic() - started < duration_s:
            # A slow wave, so that a rate chart has something to show.
            wave = 1 + 0.35 * math.sin((time.monotonic() - started) / 240)
            time.sleep(chance.expovariate(rate_per_s * wave))
            traffic.request(time.time_ns())
    finally:
        traffic.close()


def _cpu_time(_: CallbackOptions) -> Iterator[Observation]:
    yield Observation(time.process_time(), {"process.cpu.state": "user"})


def _emit(
    logger: Logger,
    at_ns: int,
    severity: int,
    body: str | None,
    attributes: dict[str, str],
    *,
    event_name: str | None = None,
) -> None:
    logger.emit(
        LogRecord(
            timestamp=at_ns,
            observed_timestamp=at_ns,
            severity_number=SeverityNumber(severity),
            severity_text="ERROR" if severity >= 17 else "INFO",
            body=body,
            attributes=attributes,
            event_name=event_name,
        )
    )
