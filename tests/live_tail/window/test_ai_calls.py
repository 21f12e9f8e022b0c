"""What a call of an AI model is: an agent's span holds the sum of its calls and is none of them."""

from datetime import UTC, datetime, timedelta

import pytest

from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.spool import Spool
from live_tail.window.queries.asking import run_query
from live_tail.window.window import Window
from tests.ingestion.lake.test_poison import put
from tests.ingestion.receivers.test_receivers import NOW_NS, span_request

GEN_AI = ("gen_ai.operation.name", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
INFERENCE = ("openinference.span.kind", "llm.token_count.prompt", "llm.token_count.completion")
Calls = list[tuple[str, str, str]]


def counted(pipeline: Pipeline, spool: Spool, names: tuple[str, ...], calls: Calls) -> tuple:
    request = span_request(service="ai", name="first")
    spans = request.resource_spans[0].scope_spans[0].spans
    for place, values in enumerate(calls):
        span = spans.add()
        span.CopyFrom(spans[0])
        span.span_id = b"span-id" + bytes([65 + place])
        put(span.attributes, ("gen_ai.request.model", "gpt-4o"), *zip(names, values, strict=True))
    pipeline.process([Incoming("spans", request.SerializeToString())])
    now = datetime.fromtimestamp(NOW_NS / 1e9, UTC) + timedelta(seconds=5)
    window = Window(minutes=60, max_errors=10, clock=lambda: now)
    window.ingest("spans", [(b.seq, b.table()) for b in spool.read(0, signals=["spans"])])
    rows = run_query(window, "ai_calls", {})
    return tuple(
        sum(row[name] or 0 for row in rows)
        for name in ("call_count", "input_tokens", "output_tokens")
    )


@pytest.mark.parametrize("around", ["invoke_agent", "invoke_workflow", "Invoke_Agent"])
def test_an_agent_and_its_tools_add_nothing_to_the_calls_below(
    pipeline: Pipeline, spool: Spool, around: str
) -> None:
    calls = [
        (around, "113", "11"),
        ("chat", "56", "5"),
        ("execute_tool", "", ""),
        ("chat", "57", "6"),
    ]
    assert counted(pipeline, spool, GEN_AI, calls) == (2, 113, 11)


@pytest.mark.parametrize("around", ["AGENT", "CHAIN", "agent"])
def test_openinferences_agents_and_chains_add_nothing_either(
    pipeline: Pipeline, spool: Spool, around: str
) -> None:
    calls = [(around, "30", "3"), ("LLM", "30", "3"), ("TOOL", "", ""), ("RETRIEVER", "", "")]
    assert counted(pipeline, spool, INFERENCE, calls) == (1, 30, 3)


@pytest.mark.parametrize("operation", ["chat", "embeddings", "text_completion", "of_our_own"])
def test_any_other_operation_is_a_call(pipeline: Pipeline, spool: Spool, operation: str) -> None:
    assert counted(pipeline, spool, GEN_AI, [(operation, "7", "3")]) == (1, 7, 3)
