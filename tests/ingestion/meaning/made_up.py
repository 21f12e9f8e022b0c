"""Made-up telemetry for comparing both speeds: what chance may choose, and the bodies it is sent as.

Late, repeated and colliding items, old and new names of attributes, durations on the edges of buckets.
Values are multiples of 1/8, so that sums are the same in whatever order they are made. Not here: what is
compared (`shared_figures`).
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ingestion.meaning.histograms import GAMMA
from ingestion.receivers.committing.pipeline import Incoming

_NOW = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=2)
_EDGES_NS = [round(1e6 * GAMMA**power) + step for power in (0, 1, 57, 300) for step in (-1, 0, 1)]
_STACK = (
    "Traceback (most recent call last):\n"
    '  File "/srv/tta/src/game/{module}.py", line {line}, in next_scene\n'
    "    raise SceneError(1)\n"
    "game.errors.SceneError: scene 42 is gone\n"
)

Choice = Callable[[Random], Any]
"""A value by chance."""


def _one(*values: Any) -> Choice:
    return lambda chance: chance.choice(values)


def _whole(least: int, most: int) -> Choice:
    return lambda chance: chance.randint(least, most)


def _some(**attributes: Choice) -> Choice:
    """Two of five of these attributes, `__` for the dot."""
    named = {name.replace("__", "."): choice for name, choice in attributes.items()}
    return lambda chance: {
        name: choice(chance) for name, choice in named.items() if chance.random() < 0.4
    }


def _item(**fields: Choice) -> Choice:
    return lambda chance: {name: choice(chance) for name, choice in fields.items()}


def _any(*choices: Choice) -> Choice:
    return lambda chance: chance.choice(choices)(chance)


# By meaning: attributes and their values. Each span takes some of them under any of their names.
_REQUEST = _some(
    http__request__method=_one("GET", "post", "DELETE"),
    http__method=_one("GET", "PUT"),
    http__response__status_code=_one(200, 302, 404, 500, 503, 99, 1_000),
    http__status_code=_one(200, 500),
    http__route=_one("/scenes/{id}", "/health", "/ready"),
    url__template=_one("/stories/{id}"),
    http__target=_one("/a", "/ws"),
    url__full=_one("http://10.0.0.1:80/b", "https://localhost", "no address"),
    url__scheme=_one("http", "ws", "wss"),
    asgi__event__type=_one("websocket.receive", "websocket.send", "http.response.body"),
    error__type=_one("TimeoutError", "500"),
)
_SOCKET = _some(
    asgi__event__type=_one("websocket.receive", "websocket.send", "websocket.connect"),
    url__scheme=_one("ws", "wss"),
    http__route=_one("/ws/{id}", "/play"),
    http__target=_one("/ws"),
    tta__websocket__messages__received=_one(0, 3, -1, 10**13, "many"),
    tta__websocket__messages__sent=_one(1, 5),
    tta__websocket__bytes__sent=_one(640, -1),
    tta__websocket__close_code=_one(1000, 1006),
)
_AI = _some(
    gen_ai__operation__name=_one("chat", "invoke_agent", "Execute_Tool"),
    gen_ai__request__model=_one("mistral-small", "gpt-4o"),
    llm__model_name=_one("llama3"),
    gen_ai__provider__name=_one("mistral_ai"),
    llm__system=_one("openai"),
    openinference__span__kind=_one("LLM", "AGENT", "chain"),
    traceloop__span__kind=_one("workflow", "task"),
    gen_ai__usage__input_tokens=_one(0, 7, -3, 10**13, 4.5),
    llm__token_count__completion=_one(12, 1),
    gen_ai__usage__cache_read__input_tokens=_one(5, -1, 10**13),
    gen_ai__response__time_to_first_chunk=_one(0.25, -1.0, 2e6),
    retry__attempt=_one(1, 2, 3),
    fallback__used_fallback=_one("true", "false"),
    error__type=_one("RateLimitError"),
)
_DB = _some(
    db__system__name=_one("redis", "neo4j"),
    db__system=_one("redis"),
    db__operation=_one("get", "MATCH"),
    db__collection__name=_one("players", "scenes"),
    db__response__returned_rows=_one(3, 0, -2),
    db__statement=_one("SELECT 1", "  match (n) return n", "?"),
    error__type=_one("ConnectionError"),
)
_SENDER = {
    "component": _one("api", "agent"),
    "version": _one(None, "1.0.0", "1.1.0"),
    "environment": _one(None, "production"),
    "second": _whole(-600, 59),
}
_PLACE = {"trace": _whole(1, 4), "span": _whole(1, 12)}


def _exception(chance: Random) -> dict[str, str]:
    stack = _STACK.format(module=chance.choice(["scenes", "choices"]), line=chance.choice([10, 20]))
    kind = chance.choice(["game.errors.SceneError", "ValueError", "KeyError"])
    message = chance.choice(["scene 42 is gone", "scene 43 is gone", None])
    said = {
        "exception.type": kind,
        "exception.message": message,
        "exception.stacktrace": chance.choice([stack, None]),
    }
    return {name: value for name, value in said.items() if value}


_SPAN = _item(
    **_SENDER,
    **_PLACE,
    parent=_whole(0, 12),
    name=_one("GET /scenes/{id}", "GET", "tta.websocket.connection", "/ws websocket send", "SET"),
    kind=_whole(1, 5),
    duration_ns=_any(_one(0, 1, 999, *_EDGES_NS), _whole(1, 10**11)),
    is_error=_one(False, True),
    message=_one("", "scene is gone"),
    attributes=_any(_REQUEST, _SOCKET, _AI, _DB),
    exceptions=lambda chance: [
        (chance.randint(0, 3), _exception(chance)) for _ in range(chance.choice([0, 0, 1, 2]))
    ],
)
_RECORD = _item(
    **_SENDER,
    **_PLACE,
    severity=_one(9, 13, 17, 21),
    name=_one("", "chat.exception"),
    body=_one("", "scene is gone", "started"),
    attributes=_any(lambda _: {}, _exception),
    route=_one(None, "/chat", "/scenes/{id}"),
)
_POINT = _item(
    **_SENDER,
    metric=_one(
        "system.cpu.utilization",
        "system.memory.utilization",
        "system.linux.cpu.load_1m",
        "system.cpu.load_average.1m",
        "tta.queue.depth",
    ),
    value=lambda chance: chance.choice(
        [*(chance.randint(-80, 8_000) / 8 for _ in range(6)), float("inf"), float("nan")]
    ),
    is_nothing=lambda chance: chance.random() < 0.1,
    attributes=_any(
        _some(state=_one("idle", "used")),
        _some(system__cpu__state=_one("idle", "user")),
        _some(system__memory__state=_one("used", "free")),
    ),
)


def batches(chance: Random) -> list[dict[str, list[dict]]]:
    """What is sent, pass by pass: items by signal. Whoever sends again sends some of what came before."""
    many = {
        "spans": (_SPAN, 40, 160),
        "logs": (_RECORD, 20, 60),
        "metric_points": (_POINT, 40, 120),
    }
    made = [
        {signal: [item(chance) for _ in range(chance.randint(least, most))]
         for signal, (item, least, most) in many.items()}
        for _ in range(chance.randint(3, 5))
    ]  # fmt: skip
    again = chance.randrange(1, len(made))
    repeated = made[again - 1]
    made[again] = {signal: [*some, *repeated[signal][::2]] for signal, some in made[again].items()}
    return made


def bodies(items: dict[str, list[dict]]) -> list[Incoming]:
    """The items of a batch as export requests, one a signal."""
    made = {"spans": _spans, "logs": _logs, "metric_points": _metrics}
    return [Incoming(signal, made[signal](some)) for signal, some in items.items() if some]


def _spans(items: list[dict]) -> bytes:
    request = ExportTraceServiceRequest()
    for item in items:
        resource = request.resource_spans.add()
        _sent_by(resource.resource, item)
        span = resource.scope_spans.add().spans.add(
            trace_id=bytes([item["trace"]] * 16),
            span_id=bytes([item["span"]] * 8),
            parent_span_id=bytes([item["parent"]] * 8) if item["parent"] else b"",
            name=item["name"],
            kind=item["kind"],
        )
        span.start_time_unix_nano = _time(item)
        span.end_time_unix_nano = span.start_time_unix_nano + item["duration_ns"]
        span.status.code = 2 if item["is_error"] else 0
        span.status.message = item["message"] if item["is_error"] else ""
        _said(span, item["attributes"])
        for seconds, exception in item["exceptions"]:
            at = span.start_time_unix_nano + seconds * 10**9
            _said(span.events.add(name="exception", time_unix_nano=at), exception)
    return request.SerializeToString()


def _logs(items: list[dict]) -> bytes:
    request = ExportLogsServiceRequest()
    for item in items:
        resource = request.resource_logs.add()
        _sent_by(resource.resource, item)
        record = resource.scope_logs.add().log_records.add(
            trace_id=bytes([item["trace"]] * 16),
            span_id=bytes([item["span"]] * 8),
            time_unix_nano=_time(item),
            severity_number=item["severity"],
            event_name=item["name"],
        )
        record.body.string_value = item["body"]
        _said(record, item["attributes"])
        if item["route"]:
            _said(record, {"http.route": item["route"]})
    return request.SerializeToString()


def _metrics(items: list[dict]) -> bytes:
    request = ExportMetricsServiceRequest()
    for item in items:
        resource = request.resource_metrics.add()
        _sent_by(resource.resource, item)
        metric = resource.scope_metrics.add().metrics.add(name=item["metric"])
        if item["metric"] == "tta.queue.depth":
            metric.sum.aggregation_temporality = 2
        points = metric.sum.data_points if metric.HasField("sum") else metric.gauge.data_points
        point = points.add(
            time_unix_nano=_time(item), as_double=item["value"], flags=int(item["is_nothing"])
        )
        _said(point, item["attributes"])
    return request.SerializeToString()


def _time(item: dict) -> int:
    return int((_NOW + timedelta(seconds=item["second"])).timestamp()) * 10**9


def _sent_by(resource: Any, item: dict) -> None:
    named = {
        "service.name": item["component"],
        "service.version": item["version"],
        "deployment.environment.name": item["environment"],
    }
    _said(resource, {name: value for name, value in named.items() if value})


def _said(target: Any, attributes: dict[str, Any]) -> None:
    for key, value in attributes.items():
        item = target.attributes.add(key=key).value
        if isinstance(value, str):
            item.string_value = value
        elif isinstance(value, int):
            item.int_value = value
        else:
            item.double_value = value
