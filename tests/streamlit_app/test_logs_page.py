"""The Logs page: patterns with counts and trend, lines with their trace, in every state."""

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ingestion.settings import Settings
from privacy.access.access_policy import Role
from streamlit_app.components.events import log_rows
from streamlit_app.view import View
from tests.pages import links, tables, title, words
from tests.streamlit_app.reading_answers import (
    NOW,
    SPAN,
    TRACE,
    LiveTail,
    ago,
    answering,
    published,
)
from tests.streamlit_app.test_pages import fresh_caches, page  # noqa: F401

PATTERN = {
    "component": "agent", "severity": "error", "pattern_key": "ab12", "pattern": "scene <*> was not told",
    "line_count": 1_234, "first_at": ago(600), "last_at": ago(5),
}  # fmt: skip
CALM = {
    **PATTERN,
    "severity": "info",
    "pattern_key": "cd34",
    "pattern": "scene <*> was told",
    "line_count": 7,
}
LINE = {
    "event_at": ago(5), "component": "agent", "version": "1.0", "environment": "", "severity": "error",
    "body": "scene 12 was <b>not</b> told", "pattern_key": "ab12", "pattern": PATTERN["pattern"],
    "trace_id": TRACE, "span_id": SPAN,
}  # fmt: skip
COUNTS = [
    {"bucket_at": ago(120), "component": "agent", "severity": "error", "pattern_key": "ab12", "line_count": 4},
    {"bucket_at": ago(60), "component": "agent", "severity": "info", "pattern_key": "cd34", "line_count": 7},
]  # fmt: skip
FULL = {
    "log_patterns": [PATTERN, CALM],
    "log_counts": COUNTS,
    "logs": [LINE, {**LINE, "trace_id": None, "span_id": None, "severity": "info"}],
}


@pytest.fixture
def tail(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> LiveTail:
    return answering(monkeypatch, FULL)


def opened(role: Role = Role.OPERATOR, **params: str) -> AppTest:
    shown = page("logs", role)
    for name, value in params.items():
        shown.query_params["from" if name == "from_" else name] = value
    return shown.run()


def test_patterns_come_with_counts_and_lines_with_their_trace(tail: LiveTail) -> None:
    shown = opened()
    assert not shown.exception
    patterns, lines = tables(shown)
    assert (patterns[0]["Pattern"], patterns[0]["Lines"]) == ("scene <*> was not told", "1,234")
    assert patterns[0]["Severity"] == "error" and patterns[1]["Severity"] == "info"
    assert lines[0]["Line"] == "scene 12 was <b>not</b> told"
    assert lines[1]["Trace"] == "—"
    ways = links(shown)
    assert ways["scene <*> was not told"].endswith("pattern=ab12")
    assert (
        ways[TRACE[:8]].startswith("/traces?") and f"trace={TRACE}&span={SPAN}" in ways[TRACE[:8]]
    )


def test_one_pattern_narrows_lines_and_counts_and_leads_back(tail: LiveTail) -> None:
    shown = opened(pattern="ab12")
    assert not shown.exception
    assert tail.asks("logs")["pattern"] == tail.asks("log_counts")["pattern"] == "ab12"
    assert "All patterns" in links(shown) and "pattern=" not in links(shown)["All patterns"]


def test_severity_and_words_stand_in_the_address(tail: LiveTail) -> None:
    shown = opened()
    shown.text_input(key="words-here").set_value("not told").run()
    assert shown.query_params["q"] in ("not told", ["not told"])
    assert tail.asks("logs")["q"] == "not told"
    shown.segmented_control(key="severity-here").set_value("Error").run()
    assert tail.asks("log_patterns")["severity"] == "error"


def test_an_empty_page_says_what_would_fill_it_and_filters_say_that_they_do(tail: LiveTail) -> None:
    tail.rows = {}
    assert "collectors.log_files" in words(opened())
    assert "with these filters" in words(opened(component="agent"))


def test_without_a_live_tail_the_page_says_what_to_start(tail: LiveTail) -> None:
    tail.is_down = True
    shown = opened()
    assert not shown.exception and "monitor up" in words(shown)


def test_with_lines_but_no_pattern_each_panel_speaks_for_itself(tail: LiveTail) -> None:
    tail.rows = {"logs": [LINE]}
    shown = opened()
    assert not shown.exception
    assert "No patterns in this range." in words(shown) and len(tables(shown)) == 1


def test_marts_that_end_before_the_range_are_said_to_be_old(
    tail: LiveTail, monkeypatch: pytest.MonkeyPatch
) -> None:
    def frame_of(sql: str) -> pd.DataFrame:
        rows: list[dict[str, Any]] = (
            COUNTS if "bucket_at" in sql else [PATTERN] if "first_at" in sql else []
        )
        made = pd.DataFrame(rows)
        for column in [c for c in made.columns if c.endswith("_at")]:
            made[column] = pd.to_datetime(made[column], utc=True)
        return made

    published(monkeypatch, frame_of, timedelta(hours=3))
    shown = opened(range="7 d")
    assert not shown.exception
    assert "Marts are 3 h 00 old." in words(shown) and "scene <*> was not told" in links(shown)


def test_a_designer_has_no_logs(tail: LiveTail) -> None:
    refused = opened(Role.DESIGNER)
    assert not title(refused) and refused.warning and not tables(refused)


def test_a_trend_is_zero_where_no_line_came_and_covers_the_range() -> None:
    view = View(
        NOW.replace(second=0, microsecond=0) - timedelta(minutes=5),
        NOW.replace(second=0, microsecond=0),
    )
    at = view.start_at + timedelta(minutes=2)
    counts = pd.DataFrame([{**COUNTS[0], "bucket_at": at}])
    assert log_rows.trends_of(counts, view, 60) == {("agent", "error", "ab12"): [0, 0, 4, 0, 0]}
