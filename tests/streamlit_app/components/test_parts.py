"""Parts of pages: tables, tiles, waterfall, states; text stays text, and what nobody measured is no zero."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ingestion.settings import Settings
from streamlit_app.components import drawer, drawing, formats, markup, panels, tile
from streamlit_app.components.drawer import again, origin
from streamlit_app.components.tile import Tile
from streamlit_app.readings.source import Reading
from streamlit_app.view import View
from tests.pages import links, tables, tiles, words
from tests.signing_in import sign_in_page_test
from tests.streamlit_app.test_pages import fresh_caches, page  # noqa: F401

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = View(NOW - timedelta(hours=1), NOW, "1 h")


def table(most: int = 20) -> None:
    import pandas as pd

    from streamlit_app.components.ranked_table import Column, ranked_table

    rows = pd.DataFrame(
        {
            "route": ["/b", "/a", "<script>"], "count": [10.0, 5.0, None], "errors": [0.0, 9.0, None],
            "state": [("ok", "ok"), ("down", "down: redis"), ("unknown", "never seen")],
            "trend": [[1, 2, None, 4], [], [3]],
        }
    )  # fmt: skip
    columns = (
        Column("route", "Route", hover=lambda row: f"all of {row['route']}"),
        Column("count", "Requests", "bar", lambda v: f"{v:,.0f}"),
        Column("errors", "Errors %", "bar", lambda v: f"{v:.1f}", is_bad=lambda v: v > 1),
        Column("state", "State", "pill"), Column("trend", "Trend", "spark"),
    )  # fmt: skip
    ranked_table(
        rows, columns, key="routes", caption="Routes", most=most,
        link=lambda row: f"/performance?route={row['route']}" if row["route"] != "<script>" else None,
    )  # fmt: skip


def shown_table(most: int = 20, **params: str) -> AppTest:
    made = AppTest.from_function(table, args=(most,), default_timeout=60)
    for name, value in params.items():
        made.query_params[name] = value
    shown = made.run()
    assert not shown.exception
    return shown


def test_a_table_keeps_the_order_of_its_rows_and_says_dash_for_what_was_not_measured() -> None:
    shown = shown_table()
    ((*rows,),) = tables(shown)
    assert [r["Route"] for r in rows] == ["/b", "/a", "<script>"]
    assert [r["Requests"] for r in rows] == ["10", "5", formats.NOT_MEASURED]
    assert rows[1]["State"] == "down: redis"
    assert links(shown)["/b"] == "/performance?route=/b" and "<script>" not in links(shown)
    (html,) = [e.proto.body for e in shown.get("html")]
    assert "<script>" not in html and html.count("tta-bad") == 1
    assert 'title="all of /b"' in html and html.count("<img") == 1


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("routes.route", ["/a", "/b", "<script>"]),
        ("routes.-errors", ["/a", "/b", "<script>"]),
        ("routes.count", ["/a", "/b", "<script>"]),
        ("others.-route", ["/b", "/a", "<script>"]),
        ("routes.state", ["/b", "/a", "<script>"]),
        ("routes.nothing", ["/b", "/a", "<script>"]),
    ],
)
def test_the_address_orders_a_table_and_what_was_not_measured_stays_last(
    sort: str, expected: list[str]
) -> None:
    (rows,) = tables(shown_table(sort=sort))
    assert [r["Route"] for r in rows] == expected


def test_a_heading_turns_the_order_and_says_it_to_readers_of_the_screen() -> None:
    assert links(shown_table())["Requests"] == "?sort=routes.-count"
    assert links(shown_table())["Route"] == "?sort=routes.route"
    turned = shown_table(sort="routes.-count", range="6 h")
    asked = dict(parse_qsl(links(turned)["Requests"][1:]))
    assert asked == {"range": "6 h", "sort": "routes.count"}
    (html,) = [e.proto.body for e in turned.get("html")]
    assert html.count('aria-sort="descending"') == 1 and html.count('aria-sort="none"') == 2


def test_more_rows_are_one_link_away() -> None:
    few = shown_table(2)
    assert [len(rows) for rows in tables(few)] == [2] and "2 of 3 rows" in words(few)
    assert links(few)["show all 3"] == "?all=routes"
    assert [len(rows) for rows in tables(shown_table(2, all="routes"))] == [3]


@pytest.mark.parametrize(
    ("change", "better", "news"),
    [
        ("+6 %", "up", "good"), ("+6 %", "down", "bad"), ("-6 %", "down", "good"), ("-6 %", "up", "bad"),
        ("+6 %", "none", "flat"), ("+0 %", "up", "flat"), ("-0.0 pt", "down", "flat"),
    ],
)  # fmt: skip
def test_a_change_is_news_only_in_a_direction_that_means_something(
    change: str, better: Any, news: str
) -> None:
    assert f"tta-{news}" in tile._change(Tile("Errors", "1 %", change, better))


def test_a_tile_says_why_it_has_no_value() -> None:
    html = tile._tile(Tile("Carbon", formats.NOT_MEASURED, missing="No meter <reports>."))
    assert 'title="No meter &lt;reports&gt;."' in html


def test_a_line_breaks_where_nothing_was_measured_and_is_none_without_two_values() -> None:
    path = markup._path([1, None, 2, 3], 3)
    assert path.count("M") == 2 and path.count("L") == 1
    assert markup.spark([1.0, None], "#123456") == "" and markup.spark([], "#123456") == ""
    assert "%23123456" in markup.spark([1.0, 2.0], "#123456")


@pytest.mark.parametrize("text", ['"><script>alert(1)</script>', "javascript:alert(1)", "a&b<c>'"])
def test_what_comes_from_outside_stays_text(text: str) -> None:
    made = (
        markup.link(text, f"/errors?q={text}", title=text)
        + markup.bar(0.5, text)
        + markup.pill("ok", text)
    )
    assert "<script" not in made and 'href="javascript' not in made
    assert made.count("<a ") == 1


def spans(shown: str = "") -> None:
    import pandas as pd

    from streamlit_app.components.waterfall import waterfall

    rows = pd.DataFrame(
        [
            ("a", "", 0, 100e6, "api", "GET /<x>", "OK", {}, [{"name": "exception", "at": 90_000}]),
            ("b", "a", 20_000, 60e6, "llm", "chat", "ERROR",
             {"gen_ai.request.model": "large", "gen_ai.usage.output_tokens": 96}, []),
            ("c", "gone", 1_000, 5e6, "db", "SELECT", "OK", None, None),
        ],
        columns=["span_id", "parent_span_id", "start_at", "duration_ns", "component", "name",
                 "status_code", "attributes", "events"],
    )  # fmt: skip
    logs = pd.DataFrame([{"at": 30_000, "severity": "ERROR", "body": "slow", "span_id": "b"}])
    waterfall(rows, logs, chosen=shown)


def test_a_waterfall_is_a_list_of_links_that_say_what_they_show() -> None:
    shown = AppTest.from_function(spans, args=("b",), default_timeout=60).run()
    assert not shown.exception
    assert links(shown) == {"GET /<x>": "?span=a", "chat": "?span=b", "SELECT": "?span=c"}
    told = words(shown)
    assert "model large · 96 tokens out" in told
    assert "llm, chat, 60 ms, begins at 20 ms, failed, on the critical path" in told
    assert "its parent was not kept" in told and "90 ms: exception" in told
    assert "30 ms: ERROR: slow" in told and "20 ms before it without a span" in told
    (html,) = [e.proto.body for e in shown.get("html")]
    assert html.count('aria-current="true"') == 1 and "&lt;x&gt;" in html


def test_the_drawer_says_how_to_ask_again(settings: Settings) -> None:
    live = Reading(pd.DataFrame(), sql="SELECT 1", source="live", name="routes", as_of=NOW,
                   parameters={"minutes": 60, "component": "a b"})  # fmt: skip
    assert again(live).endswith('/api/v1/query/routes?minutes=60&component=a+b"')
    assert origin(live, NOW + timedelta(seconds=2)) == "The live window's query routes, 2.0 s ago."
    cold = Reading(pd.DataFrame(), sql='SELECT "a"\n  FROM b', as_of=NOW)
    assert again(cold) == './tta.sh monitor query "SELECT \\"a\\" FROM b" --audience operations'
    assert (
        origin(cold, NOW + timedelta(minutes=3))
        == "The published copy for operations, made 3 min ago."
    )
    assert drawer.formats is formats


def chart(key: str = "c") -> None:
    import pandas as pd

    from streamlit_app.components import drawing
    from tests.streamlit_app.components.test_parts import HOUR

    times = pd.date_range(HOUR.start_at, periods=5, freq="min")
    rows = pd.DataFrame({"bucket_at": times, "series": "a", "value": [1.0, 2, 3, 4, 5]})
    drawing.time_chart(rows, "value", "series", "/s", HOUR, key=key)


def test_a_chart_is_described_once_and_its_data_travel() -> None:
    drawing._described.cache_clear()
    for _ in range(2):
        shown = AppTest.from_function(chart, default_timeout=60).run()
        assert not shown.exception
    assert drawing._described.cache_info().misses == 1
    (drawn,) = shown.get("vega_lite_chart")
    assert "datasets" not in drawn.proto.spec and drawn.proto.data.data
    assert list(drawn.proto.selection_mode) == ["minute", "range"]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (
            {"range": {"at": [0, 600_000]}},
            {"from": "1970-01-01T00:00:00Z", "to": "1970-01-01T00:10:00Z"},
        ),
        (
            {"range": {"at": [600_000, 0]}},
            {"from": "1970-01-01T00:00:00Z", "to": "1970-01-01T00:10:00Z"},
        ),
        ({"minute": [{"at": 60_000}], "range": {}}, {"range": "1 h", "at": "1970-01-01T00:01:00Z"}),
        ({"cell": [{"at": 60_000, "low_ms": 1}]}, {"range": "1 h", "at": "1970-01-01T00:01:00Z"}),
        ({"minute": [], "range": {}}, {}),
    ],
)
def test_a_drag_is_a_range_and_a_click_a_minute(
    selection: dict[str, Any], expected: dict[str, str]
) -> None:
    def moved(selection: dict) -> None:
        import streamlit as st

        from dagster_project.reporting.charts import Clock
        from streamlit_app.components import drawing
        from tests.streamlit_app.components.test_parts import HOUR

        st.session_state["chart"] = {"selection": selection}
        drawing._zoom(HOUR, Clock(HOUR.start_at, HOUR.end_at))("chart")

    shown = AppTest.from_function(moved, args=(selection,), default_timeout=60).run()
    assert not shown.exception
    flat = {k: v[0] if isinstance(v, list) else v for k, v in shown.query_params.items()}
    assert flat == expected


def test_a_reading_that_failed_says_so_instead_of_an_empty_chart(settings: Settings) -> None:
    def failed() -> None:
        import pandas as pd

        from streamlit_app.components import panels
        from streamlit_app.readings.source import Reading
        from tests.streamlit_app.components.test_parts import HOUR

        panels.latency_lines(Reading(pd.DataFrame(), "run `up`."), HOUR, 60, key="a")
        panels.latency_lines(Reading(pd.DataFrame()), HOUR, 60, key="b")

    shown = sign_in_page_test(
        AppTest.from_function(failed, default_timeout=60), settings.home
    ).run()
    assert not shown.exception and not shown.get("vega_lite_chart")
    assert "run `up`." in words(shown) and "No requests in this range" in words(shown)
    assert panels._QUANTILES


def test_the_gallery_draws_every_component(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    monkeypatch.setenv("TTA_MONITOR_LIVE__PORT", str(free_port))
    shown = page("gallery")
    shown.query_params["compare"] = "previous"
    shown.run()
    assert not shown.exception
    assert len(shown.get("vega_lite_chart")) == 7 and len(tables(shown)) == 1
    assert tiles(shown)["Requests"] == "412 /s"
    assert "The live tail does not answer" in words(shown)
