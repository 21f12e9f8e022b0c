"""The live window and the marts say the same of the same telemetry: every shared figure of every minute.

What is sent is made up (Hypothesis): late, repeated and colliding items, old and new names of attributes,
durations on the edges of buckets. Equal means equal, not close.
"""

import os
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from dagster_project.process.build import run_build
from ingestion.lake.duck import open_published
from ingestion.meaning.histograms import GAMMA
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import load_settings
from ingestion.spool import Spool
from live_tail.window.follow import Follower
from live_tail.window.window import Window
from privacy.keys.store import KeyStore

_EXAMPLES = int(os.environ.get("TTA_MONITOR_TEST_EXAMPLES", "1"))
_NOW = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=2)
_EDGES_NS = [round(1e6 * GAMMA**power) + step for power in (0, 1, 57, 300) for step in (-1, 0, 1)]

# By meaning: (attribute, values). Each span takes some of them under any of their names.
_REQUEST = st.fixed_dictionaries(
    {},
    optional={
        "http.request.method": st.sampled_from(["GET", "post", "DELETE"]),
        "http.method": st.sampled_from(["GET", "PUT"]),
        "http.response.status_code": st.sampled_from([200, 302, 404, 500, 503, 99, 1_000]),
        "http.status_code": st.sampled_from([200, 500]),
        "http.route": st.sampled_from(["/scenes/{id}", "/health", "/ready"]),
        "url.template": st.just("/stories/{id}"),
        "http.target": st.sampled_from(["/a", "/ws"]),
        "url.full": st.sampled_from(["http://10.0.0.1:80/b", "https://localhost", "no address"]),
        "url.scheme": st.sampled_from(["http", "ws", "wss"]),
        "asgi.event.type": st.sampled_from(
            ["websocket.receive", "websocket.send", "http.response.body"]
        ),
        "error.type": st.sampled_from(["TimeoutError", "500"]),
    },
)
_AI = st.fixed_dictionaries(
    {},
    optional={
        "gen_ai.operation.name": st.sampled_from(["chat", "invoke_agent", "Execute_Tool"]),
        "gen_ai.request.model": st.sampled_from(["mistral-small", "gpt-4o"]),
        "llm.model_name": st.just("llama3"),
        "gen_ai.provider.name": st.just("mistral_ai"),
        "llm.system": st.just("openai"),
        "openinference.span.kind": st.sampled_from(["LLM", "AGENT", "chain"]),
        "traceloop.span.kind": st.sampled_from(["workflow", "task"]),
        "gen_ai.usage.input_tokens": st.sampled_from([0, 7, -3, 10**13, 4.5]),
        "llm.token_count.completion": st.sampled_from([12, 1]),
        "gen_ai.usage.cache_read.input_tokens": st.sampled_from([5, -1, 10**13]),
        "gen_ai.response.time_to_first_chunk": st.sampled_from([0.25, -1.0, 2e6]),
        "retry.attempt": st.sampled_from([1, 2, 3]),
        "fallback.used_fallback": st.sampled_from(["true", "false"]),
        "error.type": st.just("RateLimitError"),
    },
)
_DB = st.fixed_dictionaries(
    {},
    optional={
        "db.system.name": st.sampled_from(["redis", "neo4j"]),
        "db.system": st.just("redis"),
        "db.operation": st.sampled_from(["get", "MATCH"]),
        "db.collection.name": st.sampled_from(["players", "scenes"]),
        "db.response.returned_rows": st.sampled_from([3, 0, -2]),
        "db.statement": st.sampled_from(["SELECT 1", "  match (n) return n", "?"]),
        "error.type": st.just("ConnectionError"),
    },
)
_SPAN = st.fixed_dictionaries(
    {
        "component": st.sampled_from(["api", "agent"]),
        "version": st.sampled_from(["", "1.0.0", "2.0.0"]),
        "environment": st.sampled_from(["", "staging"]),
        "trace": st.integers(1, 4),
        "span": st.integers(1, 12),
        "name": st.sampled_from(
            ["GET /scenes/{id}", "GET", "tta.websocket.connection", "/ws websocket send", "SET"]
        ),
        "kind": st.integers(1, 5),
        "second": st.integers(-600, 59),
        "duration_ns": st.one_of(st.sampled_from([0, 1, 999, *_EDGES_NS]), st.integers(1, 10**11)),
        "is_error": st.booleans(),
        "attributes": st.one_of(_REQUEST, _AI, _DB),
    }
)
_BATCHES = st.lists(st.lists(_SPAN, min_size=40, max_size=120), min_size=3, max_size=5)


def _body(spans: list[dict]) -> bytes:
    request = ExportTraceServiceRequest()
    for given_span in spans:
        resource = request.resource_spans.add()
        named = resource.resource.attributes.add(key="service.name")
        named.value.string_value = given_span["component"]
        for key, told in (
            ("service.version", "version"),
            ("deployment.environment", "environment"),
        ):
            if given_span[told]:
                resource.resource.attributes.add(key=key).value.string_value = given_span[told]
        span = resource.scope_spans.add().spans.add(
            trace_id=bytes([given_span["trace"]] * 16),
            span_id=bytes([given_span["span"]] * 8),
            name=given_span["name"],
            kind=given_span["kind"],
        )
        at = _NOW + timedelta(seconds=given_span["second"])
        span.start_time_unix_nano = int(at.timestamp()) * 10**9
        span.end_time_unix_nano = span.start_time_unix_nano + given_span["duration_ns"]
        span.status.code = 2 if given_span["is_error"] else 0
        for key, value in given_span["attributes"].items():
            item = span.attributes.add(key=key).value
            if isinstance(value, str):
                item.string_value = value
            elif isinstance(value, int):
                item.int_value = value
            else:
                item.double_value = value
    return request.SerializeToString()


_HISTOGRAM = "unnest(map_entries(latency_histogram)) AS entry"
# By figure: the hot query and the cold one; their rows are compared as they are.
_SHARED = {
    "requests by bucket": (
        "SELECT component, version, environment, route, method, status_class, date_trunc('minute', bucket_at), log_bucket,"
        " sum(request_count)::BIGINT FROM hot_requests GROUP BY ALL",
        "SELECT component, version, environment, route, method, status_class, minute_at, entry.key, entry.value::BIGINT FROM"
        f" (SELECT *, {_HISTOGRAM} FROM fct_requests_minutely)",
    ),
    "failed requests": (
        "SELECT component, version, environment, route, method, status_class, date_trunc('minute', bucket_at),"
        " sum(error_count)::BIGINT, max(ms_max) FROM hot_requests GROUP BY ALL",
        "SELECT component, version, environment, route, method, status_class, minute_at, error_count, duration_ms_max"
        " FROM fct_requests_minutely",
    ),
    "AI calls by bucket": (
        "SELECT component, version, environment, model, provider, operation, date_trunc('minute', bucket_at), log_bucket,"
        " sum(call_count)::BIGINT FROM hot_ai_calls GROUP BY ALL",
        "SELECT component, version, environment, model, provider, operation, minute_at, entry.key, sum(entry.value)::BIGINT FROM"
        f" (SELECT *, {_HISTOGRAM} FROM fct_ai_calls_minutely) GROUP BY ALL",
    ),
    "AI calls": (
        "SELECT component, version, environment, model, provider, operation, date_trunc('minute', bucket_at), sum(call_count)::BIGINT,"
        " sum(error_count)::BIGINT, coalesce(sum(input_tokens), 0)::BIGINT,"
        " coalesce(sum(output_tokens), 0)::BIGINT, sum(cached_tokens)::BIGINT, sum(reasoning_tokens)::BIGINT,"
        " sum(first_chunk_count)::BIGINT FROM hot_ai_calls GROUP BY ALL",
        "SELECT component, version, environment, model, provider, operation, minute_at, sum(call_count)::BIGINT, sum(error_count)::BIGINT,"
        " coalesce(sum(input_tokens), 0)::BIGINT, coalesce(sum(output_tokens), 0)::BIGINT,"
        " sum(cached_tokens)::BIGINT, sum(reasoning_tokens)::BIGINT, sum(first_chunk_count)::BIGINT"
        " FROM fct_ai_calls_minutely GROUP BY ALL",
    ),
    "AI errors by type": (
        "SELECT component, model, date_trunc('minute', bucket_at), failed_with, sum(call_count)::BIGINT"
        " FROM hot_ai_calls WHERE failed_with IS NOT NULL GROUP BY ALL",
        "SELECT component, model, minute_at, entry.key, sum(entry.value)::BIGINT FROM (SELECT *,"
        " unnest(map_entries(errors_by_type)) AS entry FROM fct_ai_calls_minutely) GROUP BY ALL",
    ),
    "attempts and fallbacks": (
        "SELECT component, version, environment, date_trunc('minute', bucket_at),"
        " sum(attempt_count)::BIGINT, sum(retry_count)::BIGINT, sum(failed_attempt_count)::BIGINT,"
        " sum(fallback_count)::BIGINT, sum(used_fallback_count)::BIGINT FROM hot_recoveries GROUP BY ALL",
        "SELECT component, version, environment, minute_at, attempt_count, retry_count,"
        " failed_attempt_count, fallback_count, used_fallback_count FROM fct_recoveries_minutely",
    ),
    "database operations by bucket": (
        "SELECT component, system, operation, collection, statement, date_trunc('minute', bucket_at), log_bucket,"
        " sum(operation_count)::BIGINT FROM hot_db_operations GROUP BY ALL",
        "SELECT component, system, operation, collection, statement, minute_at, entry.key, sum(entry.value)::BIGINT FROM"
        f" (SELECT *, {_HISTOGRAM} FROM fct_db_operations_minutely) GROUP BY ALL",
    ),
    "failed database operations": (
        "SELECT component, system, operation, collection, statement, date_trunc('minute', bucket_at), sum(error_count)::BIGINT,"
        " sum(returned_rows)::BIGINT FROM hot_db_operations GROUP BY ALL",
        "SELECT component, system, operation, collection, statement, minute_at, sum(error_count)::BIGINT,"
        " sum(returned_rows)::BIGINT FROM fct_db_operations_minutely GROUP BY ALL",
    ),
}


@pytest.mark.slow
@given(batches=_BATCHES, again=st.integers(0, 4))
@hypothesis_settings(
    max_examples=_EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # A smaller example would cost a build for each try.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
def test_every_shared_figure_of_every_shared_minute_is_equal(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[dict]], again: int
) -> None:
    home = tmp_path_factory.mktemp("speeds") / "home"
    home.mkdir()
    keys = KeyStore.open(home, create=True)
    settings = load_settings(home)
    spool = Spool(settings.spool_path, keys)
    pipeline = Pipeline(spool, keys)
    for number, batch in enumerate(batches):
        # Whoever sends again sends some of what came before, mixed with what is new.
        repeated = batches[number - 1][::2] if number == again and number else []
        pipeline.process([Incoming("spans", _body([*batch, *repeated]))])
        if number == 0:
            # Minutes that were built once change afterwards.
            assert run_build(settings).ok
    assert run_build(settings).ok

    window = Window(minutes=60, max_errors=1_000, clock=lambda: datetime.now(UTC))
    follower = Follower(spool, window)
    while follower.step():
        pass
    con = open_published(settings, "operations")
    try:
        for figure, (hot, cold) in _SHARED.items():
            seen = Counter(map(tuple, window.cursor().execute(hot).fetchall()))
            assert seen == Counter(map(tuple, con.execute(cold).fetchall())), figure
    finally:
        con.close()
