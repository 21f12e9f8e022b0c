"""OTLP and Sentry bodies in which every field that can hold a text holds a private one.

Here: building bodies. Not here: sending them (`routes`). A bare word is private only by what stands
around it, so where a plain token may stay (enumerations, names of things) such a kind comes as a sentence.
"""

import json
import time
from collections.abc import Sequence
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.e2e.canaries import Canary

BARE_WORDS = frozenset(
    {"name", "username", "credential", "bearer", "url_secret", "record", "home_directory"}
)
_PERSONAL = """
user.id user.email user.name user.full_name session.id enduser.id player_id client.address
gen_ai.prompt gen_ai.completion gen_ai.input.messages gen_ai.output.messages gen_ai.system_instructions
tta.player.message message.content chat.text therapeutic.note input.value output.value
url.query http.request.header.authorization http.request.header.cookie process.command_line
process.command_args browser.note custom.unknown.field baggage.player
""".split()
_ENUMERATIONS = "http.request.method error.type db.system gen_ai.request.model rpc.service".split()


def in_token_field(canary: Canary) -> str:
    """What a field of enumerations gets."""
    return canary.sentence if canary.kind in BARE_WORDS else canary.text


def host_of(canary: Canary) -> str:
    """What a server's name gets: bare addresses of servers are kept on purpose."""
    return canary.sentence if canary.kind == "ip" else in_token_field(canary)


def traceback_of(canary: Canary) -> str:
    """A traceback whose source line and message quote the text."""
    return (
        "Traceback (most recent call last):\n"
        f'  File "/home/{canary.text.split()[0]}/tta/app/api.py", line 12, in handle\n'
        f'    raise LookupError("{canary.sentence}")\n'
        f"LookupError: {canary.sentence}\n"
    )


def _add(attributes: Any, key: str, text: str) -> None:
    attributes.add(key=key).value.string_value = text


def _fill(attributes: Any, canary: Canary, *, is_whole: bool = True) -> None:
    """Every key where it is this text's turn at this level, else a few."""
    if not is_whole:
        for key in ("user.id", "gen_ai.prompt", "exception.message", canary.text):
            _add(attributes, key, canary.sentence)
        return
    for key in _PERSONAL:
        _add(attributes, key, canary.text)
    for key in _ENUMERATIONS:
        _add(attributes, key, in_token_field(canary))
    _add(attributes, "db.statement", f"SELECT * FROM players WHERE name = '{canary.text}'")
    _add(attributes, "db.query.text", f"GET player:{canary.text}")
    _add(attributes, "url.full", f"https://api.example.com/players/x?q={canary.text}#{canary.text}")
    _add(attributes, "http.target", f"/players/1?token={canary.text}")
    _add(attributes, "exception.message", canary.sentence)
    _add(attributes, "exception.stacktrace", traceback_of(canary))
    _add(attributes, "user_agent.original", f"TTA/1.0 ({canary.sentence})")
    _add(attributes, canary.text, canary.text)
    nested = attributes.add(key="player").value.kvlist_value.values.add(key=canary.text)
    nested.value.array_value.values.add().string_value = canary.text
    attributes.add(key="tta.turns").value.array_value.values.add().string_value = canary.text
    attributes.add(key="raw").value.bytes_value = canary.text.encode()


def _resource(parent: Any, canary: Canary, *, is_whole: bool) -> None:
    _add(parent.resource.attributes, "service.name", "canary-api")
    for key in ("service.version", "deployment.environment", "process.owner"):
        _add(parent.resource.attributes, key, in_token_field(canary))
    _add(parent.resource.attributes, "host.name", host_of(canary))
    _fill(parent.resource.attributes, canary, is_whole=is_whole)


def spans(canaries: Sequence[Canary], first: int = 1) -> ExportTraceServiceRequest:
    """One span a text, with event, link, status and state."""
    request, now = ExportTraceServiceRequest(), time.time_ns()
    for number, canary in enumerate(canaries, start=first):
        turn = number % 5  # kinds and levels are coprime: every kind comes to every level
        resource = request.resource_spans.add()
        _resource(resource, canary, is_whole=turn == 0)
        scope = resource.scope_spans.add()
        scope.scope.name, scope.scope.version = canary.sentence, in_token_field(canary)
        _fill(scope.scope.attributes, canary, is_whole=turn == 1)
        span = scope.spans.add(
            trace_id=number.to_bytes(16, "big"), span_id=number.to_bytes(8, "big"),
            name=canary.sentence, trace_state=f"vendor={canary.text}",
            start_time_unix_nano=now, end_time_unix_nano=now + 5_000_000,
        )  # fmt: skip
        span.status.code, span.status.message = 2, canary.sentence
        _fill(span.attributes, canary, is_whole=turn == 2)
        event = span.events.add(time_unix_nano=now, name="exception")
        _add(event.attributes, "exception.type", "LookupError")
        _fill(event.attributes, canary, is_whole=turn == 3)
        span.events.add(time_unix_nano=now, name=canary.sentence)
        link = span.links.add(trace_id=b"l" * 16, span_id=b"l" * 8, trace_state=canary.text)
        _fill(link.attributes, canary, is_whole=turn == 4)
    return request


def logs(canaries: Sequence[Canary]) -> ExportLogsServiceRequest:
    """A plain, a structured and an exception record a text."""
    request, now = ExportLogsServiceRequest(), time.time_ns()
    for number, canary in enumerate(canaries):
        resource = request.resource_logs.add()
        _resource(resource, canary, is_whole=number % 5 == 0)
        scope = resource.scope_logs.add()
        scope.scope.name = canary.sentence
        plain = scope.log_records.add(
            time_unix_nano=now, severity_number=17, severity_text=in_token_field(canary),
            event_name=in_token_field(canary),
        )  # fmt: skip
        plain.body.string_value = canary.sentence
        _fill(plain.attributes, canary, is_whole=number % 5 < 3)
        structured = scope.log_records.add(time_unix_nano=now, severity_number=9)
        held = structured.body.kvlist_value.values.add(key=canary.text)
        held.value.string_value = canary.sentence
        failed = scope.log_records.add(time_unix_nano=now, severity_number=17)
        failed.body.string_value = traceback_of(canary)
    return request


def metrics(canaries: Sequence[Canary]) -> ExportMetricsServiceRequest:
    """A gauge and a histogram with an exemplar a text."""
    request, now = ExportMetricsServiceRequest(), time.time_ns()
    for number, canary in enumerate(canaries):
        resource = request.resource_metrics.add()
        _resource(resource, canary, is_whole=number % 5 == 0)
        scope = resource.scope_metrics.add()
        scope.scope.name = canary.sentence
        gauge = scope.metrics.add(
            name="tta.queue.length", description=canary.sentence, unit=in_token_field(canary)
        )
        point = gauge.gauge.data_points.add(time_unix_nano=now, as_double=1.0)
        _fill(point.attributes, canary, is_whole=number % 5 in {1, 2})
        named = scope.metrics.add(name=in_token_field(canary))
        named.gauge.data_points.add(time_unix_nano=now, as_double=1.0)
        histogram = scope.metrics.add(name="tta.turn.duration", unit="ms").histogram
        bars = histogram.data_points.add(
            time_unix_nano=now, count=1, sum=5, bucket_counts=[1, 0], explicit_bounds=[10]
        )
        histogram.aggregation_temporality = 1
        _fill(bars.attributes, canary, is_whole=number % 5 == 3)
        exemplar = bars.exemplars.add(time_unix_nano=now, as_double=5)
        _fill(exemplar.filtered_attributes, canary, is_whole=number % 5 == 4)
    return request


MAKERS = {"spans": spans, "logs": logs, "metric_points": metrics}


def as_json(request: Any) -> bytes:
    """The JSON form, ids in hex."""
    tree = MessageToDict(request)
    for resource in tree.get("resourceSpans", ()):
        for scope in resource["scopeSpans"]:
            for number, span in enumerate(scope["spans"]):
                span["traceId"], span["spanId"] = f"{number + 77:032x}", f"{number + 77:016x}"
                for link in span.get("links", ()):
                    link["traceId"], link["spanId"] = "6c" * 16, "6c" * 8
    return json.dumps(tree).encode()


def sentry_event(canary: Canary, number: int) -> dict[str, Any]:
    """An event with everything an SDK can attach."""
    text = canary.text
    frame = {
        "filename": "app/api.py", "function": "handle", "lineno": 3, "context_line": traceback_of(canary),
        "vars": {"player": text, text: canary.sentence}, "pre_context": [canary.sentence],
        "abs_path": f"/home/{text}/app/api.py",
    }  # fmt: skip
    return {
        "event_id": f"{number:032x}",
        "timestamp": time.time(),
        "level": "error",
        "message": canary.sentence,
        "logentry": {"message": "player %s", "formatted": canary.sentence, "params": [text]},
        "exception": {
            "values": [
                {"type": "LookupError", "value": canary.sentence, "stacktrace": {"frames": [frame]}}
            ]
        },
        "user": {"id": text, "email": text, "username": text, "ip_address": text},
        "request": {
            "url": f"https://a.example/x?q={text}",
            "data": canary.sentence,
            "cookies": text,
            "headers": {"Cookie": text, "X-Player": text},
            "query_string": text,
            "env": {"REMOTE_ADDR": text},
        },
        "breadcrumbs": {
            "values": [{"category": "chat", "message": canary.sentence, "data": {"m": text}}]
        },
        "tags": {"player": text, text: "x"},
        "extra": {"note": canary.sentence},
        "contexts": {"player": {"name": text}},
        "server_name": host_of(canary),
        "transaction": canary.sentence,
        "culprit": canary.sentence,
        "logger": canary.sentence,
        "fingerprint": [canary.sentence],
        "modules": {text: "1.0"},
    }


def envelope(canary: Canary, number: int) -> bytes:
    """An envelope with the event, an attachment and kinds that are skipped."""
    event = json.dumps(sentry_event(canary, number)).encode()
    attachment = canary.sentence.encode()
    return b"\n".join(
        [
            json.dumps({"event_id": f"{number:032x}", "trace": {"user_id": canary.text}}).encode(),
            json.dumps({"type": "event", "length": len(event)}).encode(), event,
            json.dumps({"type": "attachment", "length": len(attachment), "filename": canary.text}).encode(),
            attachment, json.dumps({"type": canary.text}).encode(), attachment,
        ]
    )  # fmt: skip
