"""What calls, models and traces say, as pure functions: order, sentences, what nobody measured."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from streamlit_app.components.calls import call_table, model_rows, sums, trace_facts
from streamlit_app.readings import traces
from streamlit_app.view import View

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = View(NOW - timedelta(hours=1), NOW, "1 h")


def models(*rows: tuple[str, str, float | None, float | None, float | None]) -> pd.DataFrame:
    names = "model provider p95_ms p95_low_ms p95_high_ms".split()
    return pd.DataFrame(list(rows), columns=pd.Index(names))


def test_models_stand_slowest_first_and_only_intervals_that_lie_apart_are_told_apart() -> None:
    rows = model_rows.compared(
        models(
            ("tiny", "a", 100, 90, 120),
            ("large", "a", 900, 800, 1_000),
            ("odd", "a", 110, 95, None),
        )
    )
    assert list(rows["label"]) == ["large", "odd", "tiny"]
    assert [v and v[0] for v in rows["verdict"]] == ["warning", "unknown", None]
    said = model_rows.sentence(rows)
    assert said.startswith("large is slowest: p95 900 ms (800 ms to 1,000 ms), 9.0 times tiny.")
    assert said.endswith("do not overlap.")


def test_models_are_compared_with_the_one_that_was_named() -> None:
    given = models(("tiny", "a", 100, 90, 120), ("large", "a", 900, 800, 1_000))
    rows = model_rows.compared(given, "large")
    assert [v and v[0] for v in rows["verdict"]] == [None, "ok"]
    assert "the others are compared with it" in model_rows.sentence(rows)
    assert model_rows.compared(given, "unheard of")["is_against"].tolist() == [False, True]


def test_one_model_of_two_providers_is_two_and_no_latency_is_no_verdict() -> None:
    rows = model_rows.compared(models(("m", "a", 100, None, None), ("m", "b", 200, None, None)))
    assert list(rows["label"]) == ["m (b)", "m (a)"]
    assert "too few, or too alike" in model_rows.sentence(rows)
    alone = model_rows.compared(models(("m", "a", 100, None, None)))
    assert model_rows.sentence(alone) == "m is the only model that was called: p95 100 ms."
    unknown = model_rows.compared(models(("m", "a", None, None, None)))
    assert model_rows.sentence(unknown) == ""


def test_what_nobody_measured_is_no_zero() -> None:
    rows = pd.DataFrame({"a": [None, float("nan")], "b": [1.0, 3.0], "c": [None, 2.0]})
    assert sums.total(rows, "a") is None and sums.total(rows, "gone") is None
    assert (sums.total(rows, "b"), sums.rate(rows, "b", 2), sums.share(1, 4)) == (4, 2, 25)
    assert sums.mean(rows, "c", "b") == 2 and sums.mean(rows, "a", "b") is None
    assert sums.share(1, 0) is None and sums.rate(rows, "a", 5) is None


def spans(*rows: tuple[str, str, float, float, str]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"span_id": span, "parent_span_id": parent or None, "start_at": NOW + timedelta(milliseconds=start),
             "duration_ns": int(ms * 1e6), "component": "api", "name": name, "status_code": "OK",
             "attributes": {}, "events": []}
            for span, parent, start, ms, name in rows
        ]
    )  # fmt: skip


def test_a_trace_says_where_its_time_went() -> None:
    known = trace_facts.facts(
        spans(("a", "", 0, 100, "GET /"), ("b", "a", 10, 80, "chat"), ("c", "b", 15, 20, "SELECT"))
    )
    assert trace_facts.sentence(known) == "GET / took 100 ms, 60 ms of it (60 %) in chat of api."
    assert known.end_at - known.start_at == timedelta(milliseconds=100)


def test_what_outlives_its_parent_made_the_trace_as_long() -> None:
    known = trace_facts.facts(
        spans(("a", "", 0, 10, "POST /"), ("b", "a", 5, 500, "deliver"), ("c", "a", 1, 2, "SELECT"))
    )
    assert (
        trace_facts.sentence(known) == "POST / took 505 ms, 500 ms of it (99 %) in deliver of api."
    )
    assert known.rows.set_index("name")["is_critical"].to_dict() == {
        "POST /": True, "SELECT": True, "deliver": True,
    }  # fmt: skip


def test_a_span_alone_has_no_better_place_for_its_time() -> None:
    assert (
        trace_facts.sentence(trace_facts.facts(spans(("a", "", 0, 3, "GET /"))))
        == "GET / took 3.0 ms."
    )


def test_calls_of_a_trace_are_of_databases_and_models_by_whichever_name() -> None:
    rows = spans(
        ("a", "", 0, 9, "GET /"), ("b", "a", 1, 2, "chat"), ("c", "a", 3, 5, "SELECT scenes")
    )
    rows.at[1, "attributes"] = {"gen_ai.response.model": "m", "gen_ai.usage.prompt_tokens": "12"}
    rows.at[2, "attributes"] = {"db.system.name": "postgresql"}
    found = trace_facts.calls(trace_facts.facts(rows))
    assert list(found["asked"]) == ["postgresql SELECT scenes", "m"]
    assert found.iloc[1]["tokens_in"] == 12 and pd.isna(found.iloc[0]["tokens_in"])


def test_a_log_line_of_a_span_that_was_not_kept_stands_at_the_first() -> None:
    known = trace_facts.facts(spans(("a", "", 0, 9, "GET /")))
    logs = pd.DataFrame({"event_at": [NOW, NOW], "span_id": ["a", "gone"], "body": ["x", "y"]})
    assert list(trace_facts.in_place(logs, known)["span_id"]) == ["a", "a"]


def test_a_row_of_a_call_says_what_failed_and_dash_for_what_has_no_trace() -> None:
    rows = pd.DataFrame(
        [("request", NOW, "api", "", "/x", "GET", 500, 12.0, True, "Timeout", None, None, None),
         ("ai_call", NOW, "api", "1", "m", "chat", None, 7.0, False, None, 5, 6, "ab" * 16)],
        columns=pd.Index("kind event_at component version name verb status duration_ms is_failed error_type"
                         " input_tokens output_tokens trace_id".split()),
    )  # fmt: skip
    shown = call_table.call_rows(rows, HOUR)
    assert list(shown["name"]) == ["GET /x", "m"]
    assert list(shown["outcome"]) == [("critical", "failed 500 Timeout"), ("ok", "ok")]
    none, some = shown["trace"]
    assert pd.isna(none) and some == "abababab"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AB" * 16, "ab" * 16),
        (f"00-{'ab' * 16}-00f067aa0ba902b7-01", "ab" * 16),
        ("abababab-abab-abab-abab-abababababab", "ab" * 16),
        (f'{{"trace_id": "{"ab" * 16}"}}', "ab" * 16),
        ("ab" * 17, None),
        ("00f067aa0ba902b7", None),
        ("", None),
    ],
)
def test_a_trace_id_of_another_place_is_recognised(text: Any, expected: str | None) -> None:
    assert traces.id_in(text) == expected
