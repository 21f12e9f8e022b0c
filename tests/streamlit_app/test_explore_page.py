"""Explore: a form and SQL over what the role may see; every file is what is shown."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ingestion.lake.guarded_sql import Limits
from ingestion.settings import Settings
from privacy.access.access_policy import Role
from streamlit_app.actions.exports import Export
from streamlit_app.components import address
from streamlit_app.readings import source
from streamlit_app.readings.arriving import arrivals
from streamlit_app.readings.exploring import explore, questions
from streamlit_app.readings.exploring.questions import HISTOGRAM, Question
from streamlit_app.view import View
from tests.live_answers import LiveAnswers
from tests.pages import title, words
from tests.published import REQUESTS, publish
from tests.streamlit_app.test_pages import fresh_caches, page  # noqa: F401

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
COLUMNS = {
    "minute_at": "TIMESTAMP", "component": "VARCHAR", "route": "VARCHAR", "request_count": "BIGINT",
    "duration_ms_max": "DOUBLE", HISTOGRAM: "MAP(INTEGER, BIGINT)",
}  # fmt: skip


@pytest.fixture(autouse=True)
def home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setattr(address, "now", lambda: NOW)
    monkeypatch.setattr(source, "client", LiveAnswers())
    explore._ask.clear()
    arrivals.forget()
    publish(
        settings,
        "operations",
        {"fct_requests_minutely": REQUESTS, "meta_builds": "SELECT 1 AS items"},
    )
    yield settings
    explore._ask.clear()


def opened(role: Role = Role.ADMIN, **params: str) -> AppTest:
    shown = page("explore", role)
    for name, value in params.items():
        shown.query_params[name] = value
    shown.run()
    assert not shown.exception
    return shown


def frame_of(shown: AppTest) -> pd.DataFrame:
    return shown.dataframe[-1].value


def total(shown: AppTest) -> int:
    return sum(frame_of(shown)["value"].tolist())


def flat(shown: AppTest) -> dict[str, str]:
    return {k: v[0] if isinstance(v, list) else v for k, v in shown.query_params.items()}


def test_the_form_begins_with_a_figure_and_every_choice_stands_in_the_address() -> None:
    shown = opened()
    assert total(shown) == 1830 and flat(shown) == {}
    shown.selectbox(key="explore-by").set_value("component").run()
    assert not shown.exception and flat(shown)["by"] == "component"
    by = frame_of(shown).groupby("component")["value"].sum().to_dict()
    assert by == {"api": 900, "web": 930}
    shown.selectbox(key="explore-over").set_value("total").run()
    assert frame_of(shown)["component"].tolist() == ["web", "api"], "the largest first"
    shown.selectbox(key="explore-metric").set_value("Request latency, p95").run()
    assert not shown.exception
    assert flat(shown)["measure"] == HISTOGRAM and flat(shown)["how"] == "p95"


def test_filters_of_the_frame_and_one_of_the_form_narrow_the_answer() -> None:
    assert total(opened(component="api")) == 900
    assert total(opened(only="component:web")) == 930
    assert total(opened(only="nowhere:web")) == 1830, "no such column"


def test_sql_is_asked_when_somebody_says_so_and_shown_as_it_was_typed() -> None:
    shown = opened(part="sql")
    assert len(shown.dataframe) == 1, "tables and columns only"
    shown.text_area[0].set_value(
        "SELECT component, sum(request_count) AS n FROM fct_requests_minutely GROUP BY 1"
    )
    next(b for b in shown.button if b.label == "Ask").click().run()
    assert not shown.exception and sorted(frame_of(shown)["n"]) == [900, 930]
    assert flat(shown)["sql"].startswith("SELECT component")
    assert any("--audience operations" in c.value for c in shown.code)


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT * FROM nowhere", "there is no table nowhere"),
        ("DROP TABLE fct_requests_minutely", "only one SELECT"),
        ("SELECT rout FROM fct_requests_minutely", "there is no column rout"),
        ("SELECT 1 WHERE false", "No rows in this range"),
    ],
)
def test_an_error_or_no_row_is_told_in_words(sql: str, told: str) -> None:
    assert told in words(opened(part="sql", sql=sql))


def test_a_greedy_question_is_stopped_and_the_page_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explore, "LIMITS", Limits(rows=10, seconds=0.3, passed_rows=1e6))
    shown = opened(
        part="sql", sql="SELECT count(*) FROM range(10000000000000) AS r (i) WHERE sqrt(i) < 0"
    )
    assert "was stopped" in words(shown) or "was not run" in words(shown)
    assert "the first 10 rows" in words(
        opened(part="sql", sql="SELECT minute_at FROM fct_requests_minutely")
    )


def test_two_columns_of_one_name_lists_and_nothing_measured_can_be_shown() -> None:
    shown = opened(
        part="sql",
        sql="SELECT 1 AS a, 2 AS a, NULL::DOUBLE AS b, [1, 2] AS c, 1.5::DECIMAL(4, 1) AS d",
    )
    row = frame_of(shown).iloc[0]
    assert (row["a"], row["a_2"], row["c"], row["d"]) == (1, 2, "[1, 2]", 1.5) and pd.isna(row["b"])


def test_csv_json_and_what_is_shown_are_the_same_numbers() -> None:
    shown = frame_of(opened(by="component"))
    made = Export("explore", shown, {"of": "operations"})
    csv = pd.read_csv(io.BytesIO(made.csv()), comment="#")
    told = pd.DataFrame(json.loads(made.json())["data"])
    assert list(csv["value"]) == list(told["value"]) == list(shown["value"])
    assert list(csv["component"]) == list(told["component"]) == list(shown["component"])


def test_a_role_asks_its_own_audience_and_no_other(home: Settings) -> None:
    publish(
        home,
        "engagement",
        {"daily_active_players": "SELECT '2026-02-28' AS period, 41::BIGINT AS count"},
    )
    shown = opened(Role.RESEARCHER, part="sql", sql="SELECT count FROM daily_active_players")
    assert frame_of(shown)["count"].tolist() == [41]
    refused = words(
        opened(
            Role.RESEARCHER, part="sql", sql="SELECT * FROM fct_requests_minutely", of="operations"
        )
    )
    assert "there are daily_active_players" in refused


def test_nothing_published_says_what_to_do(home: Settings) -> None:
    home.published_path("operations").unlink()
    explore._ask.clear()
    assert "monitor build" in words(opened())


def test_a_copy_that_cannot_be_opened_says_why(home: Settings) -> None:
    home.published_path("operations").write_bytes(b"no database" * 1_000)
    explore._ask.clear()
    assert "Restore it" in words(opened()) or "opens with no living key" in words(opened())


def test_a_live_tail_that_is_away_takes_nothing_from_the_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(source, "client", LiveAnswers(is_down=True))
    shown = opened()
    assert total(shown) == 1830 and "does not answer" in words(shown)


def test_a_role_without_data_is_told_who_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explore, "audiences", list)
    shown = opened(Role.DESIGNER)
    assert title(shown) == "Explore" and "Your role does not see" in words(shown)


def view(**changes: Any) -> View:
    return View(NOW.replace(hour=11), NOW, "1 h").but(**changes)


def test_names_that_are_no_columns_never_become_sql() -> None:
    asked = {
        "mart": "fct_requests_minutely; DROP",
        "by": "1); --",
        "measure": "x",
        "how": "y",
        "only": "a'b:c",
    }
    question = questions.chosen(asked, {"fct_requests_minutely": COLUMNS})
    assert question == Question("fct_requests_minutely", "request_count", "sum")


def test_a_value_is_written_out_as_a_literal_that_ends_nothing() -> None:
    asked = Question("t", "request_count", "sum", only=("route", "a' OR '1'='1"))
    assert "route::VARCHAR = 'a'' OR ''1''=''1'" in questions.sql_of(asked, view(), COLUMNS)


def test_a_range_begins_and_ends_with_whole_rows_of_the_table() -> None:
    odd = View(NOW.replace(hour=11, second=30), NOW.replace(second=15), None)
    sql = questions.sql_of(Question("t", "request_count", "sum"), odd, COLUMNS)
    assert "'2026-03-01 11:00:00'" in sql and "'2026-03-01 12:01:00'" in sql
