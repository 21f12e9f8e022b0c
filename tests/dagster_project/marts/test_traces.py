"""Traces in the marts: whole though they came in two passes, without people, gone after an erasure."""

import re
from datetime import UTC, datetime

import pytest

from dagster_project.process.build import run_build
from dagster_project.retention.erasure import erase
from ingestion.lake.duck import open_published
from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.settings import Settings
from privacy.keys.key_store import KeyStore
from tests.live_tail.window.recent.test_recent import CANARY, records, request_of, spans

TRACE = bytes.fromhex("ab" * 16)
_PSEUDONYM = re.compile(r"p_[0-9a-f]{20}")
_MARTS = (
    "fct_exemplars fct_trace_spans fct_log_lines fct_log_patterns_minutely dim_releases".split()
)


def published(settings: Settings, sql: str) -> list[tuple]:
    con = open_published(settings, "operations")
    try:
        return con.execute(sql).fetchall()
    finally:
        con.close()


@pytest.mark.slow
def test_a_trace_of_two_passes_is_whole_without_people_and_goes_with_them(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    person = {"user__id": CANARY, "session__id": CANARY, "client__address": "10.9.8.7"}
    child = {"number": 2, "parent": 1, "trace": TRACE, "kind": 3, "ms": 4, "attributes": person}
    late = {"number": 3, "parent": 1, "trace": TRACE, "kind": 3, "ms": 2}
    other = request_of(9, ms=700)
    pipeline.process([spans(child)])
    assert run_build(settings).ok
    # What makes the trace an exemplar comes in another pass than its first span.
    pipeline.process([spans(request_of(1, trace=TRACE, ms=900), late, other)])
    pipeline.process([records("a scene was told", severity=17, trace=TRACE, **person)])
    assert run_build(settings).ok
    trace = TRACE.hex()
    whole = f"SELECT span_id FROM fct_trace_spans WHERE trace_id = '{trace}' ORDER BY span_id"
    assert [span for (span,) in published(settings, whole)] == [
        f"a00000000000000{number}" for number in (1, 2, 3)
    ]
    assert published(settings, "SELECT trace_id, severity FROM fct_log_lines") == [(trace, "error")]
    for mart in _MARTS:
        held = str(published(settings, f"SELECT * FROM {mart}"))
        assert not _PSEUDONYM.search(held) and CANARY not in held and "10.9.8.7" not in held, mart
    erase(settings, keys, CANARY, datetime.now(UTC).replace(tzinfo=None))
    assert run_build(settings).ok
    assert [span for (span,) in published(settings, whole)] == [
        "a000000000000001",
        "a000000000000003",
    ]
    assert published(settings, "SELECT * FROM fct_log_lines") == []
    assert published(settings, "SELECT count(*) FROM fct_exemplars WHERE kind = 'request'") == [
        (2,)
    ]
