"""The Live page: the tail of what happens, its filters, its states, and rows that know their name."""

from datetime import timedelta

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ingestion.settings import Settings
from privacy.access.access_policy import Role
from streamlit_app.components.events import tail_rows
from streamlit_app.view import View
from tests.pages import links, tables, title, words
from tests.streamlit_app.reading_answers import NOW, SPAN, TRACE, LiveTail, Rows, ago, answering
from tests.streamlit_app.test_pages import fresh_caches, page  # noqa: F401

REQUEST = {
    "kind": "requests", "event_at": ago(2), "component": "api", "version": "1.0", "environment": "", "method": "GET",
    "route": "/worlds", "status": 200, "duration_ms": 16.0, "is_failed": False, "error_type": None, "model": None,
    "input_tokens": None, "output_tokens": None, "title": None, "group_key": None, "trace_id": TRACE,
    "span_id": SPAN,
}  # fmt: skip
ERROR = {
    **REQUEST, "kind": "errors", "event_at": ago(3), "route": None, "method": None, "status": None, "duration_ms": None,
    "is_failed": True, "error_type": "KeyError", "title": "KeyError: <*>", "group_key": "g1:ab", "span_id": None,
}  # fmt: skip
CALL = {
    **REQUEST, "kind": "ai_calls", "event_at": ago(4), "model": "large", "route": None, "method": None, "status": None,
    "duration_ms": 1_100.0, "input_tokens": 696, "output_tokens": 149, "trace_id": None,
}  # fmt: skip


@pytest.fixture
def tail(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> LiveTail:
    return answering(monkeypatch, {"tail": [REQUEST, ERROR, CALL]})


def opened(role: Role = Role.OPERATOR, **params: str) -> AppTest:
    shown = page("live", role)
    for name, value in params.items():
        shown.query_params[name] = value
    return shown.run()


def test_each_event_says_how_it_went_and_leads_to_what_it_is_of(tail: LiveTail) -> None:
    shown = opened()
    assert not shown.exception
    [[request, error, call]] = tables(shown)
    assert request["What"].split() == ["request", "GET", "/worlds"]
    assert (request["Outcome"], request["Took"]) == ("200", "16 ms")
    assert (error["Outcome"], error["Took"]) == ("KeyError", "—")
    assert (call["Outcome"], call["Trace"]) == ("696 in, 149 out", "—")
    ways = links(shown)
    assert "route=%2Fworlds" in ways["GET /worlds"] and "group=g1%3Aab" in ways["KeyError: <*>"]
    assert "model=large" in ways["large"] and f"trace={TRACE}" in ways[TRACE[:8]]


def test_one_kind_and_words_are_asked_for_and_stand_in_the_address(tail: LiveTail) -> None:
    shown = opened()
    shown.segmented_control(key="kind-here").set_value("Errors").run()
    assert tail.asks("tail")["kind"] == "errors"
    shown.text_input(key="words-here").set_value("worlds").run()
    assert tail.asks("tail")["q"] == "worlds" and tail.asks("tail")["kind"] == "errors"


def test_paused_it_is_not_drawn_again(tail: LiveTail) -> None:
    shown = opened()
    shown.button(key="pause").click().run()
    assert shown.session_state["is_paused"] is True


@pytest.mark.parametrize("rows", [{}, {"tail": []}])
def test_a_quiet_tail_says_what_would_fill_it(tail: LiveTail, rows: dict[str, Rows]) -> None:
    tail.rows = rows
    assert "a second after a component sent its span" in words(opened())
    assert "with these filters" in words(opened(route="/none"))


def test_without_a_live_tail_the_page_says_what_to_start(tail: LiveTail) -> None:
    tail.is_down = True
    shown = opened()
    assert not shown.exception and "monitor up" in words(shown)


def test_events_without_half_of_their_facts_are_shown_as_far_as_they_go(tail: LiveTail) -> None:
    bare = {name: None for name in REQUEST} | {
        "kind": "requests", "event_at": ago(1), "component": "api", "is_failed": False,
    }  # fmt: skip
    tail.rows = {"tail": [bare]}
    shown = opened()
    assert not shown.exception
    [[row]] = tables(shown)
    assert row["What"].split() == ["request", "request"]
    assert (row["Outcome"], row["Took"], row["Trace"]) == ("—", "—", "—")


def test_of_a_range_that_is_over_only_its_own_events_are_shown() -> None:
    events = pd.DataFrame([REQUEST, {**REQUEST, "event_at": ago(7_200)}])
    events["event_at"] = pd.to_datetime(events["event_at"], utc=True)
    past = View(NOW - timedelta(hours=3), NOW - timedelta(hours=1), None)
    assert list(tail_rows.inside(events, past).index) == [1]
    assert list(tail_rows.inside(events, View(NOW - timedelta(hours=1), NOW)).index) == [0]


def test_the_same_events_make_the_same_rows_with_names_of_their_own() -> None:
    events = pd.DataFrame([REQUEST, ERROR])
    events["event_at"] = pd.to_datetime(events["event_at"], utc=True)
    view = View(NOW - timedelta(hours=1), NOW)
    made = tail_rows.listing(events, view)
    assert made == tail_rows.listing(events, view.moved(NOW + timedelta(seconds=9)))
    assert len(set(part.split('"')[0] for part in made.split('data-row="')[1:])) == 2


def test_a_designer_has_no_tail(tail: LiveTail) -> None:
    refused = opened(Role.DESIGNER)
    assert not title(refused) and refused.warning and not tables(refused)
