"""The frame: what a page depends on stands in its address, and one step back undoes one change."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ingestion.settings import Settings
from privacy.access.access_policy import Role
from streamlit_app.actions import saved
from streamlit_app.components import address
from streamlit_app.components.header import filter_bar, range_picker, redraw, refresh, search_box
from streamlit_app.readings import source
from streamlit_app.readings.arriving import arrivals, tail
from streamlit_app.view import View
from tests.live_answers import LiveAnswers
from tests.pages import links, title, words
from tests.signing_in import sign_in_page_test
from tests.streamlit_app.test_pages import fresh_caches  # noqa: F401

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_page() -> None:
    import streamlit as st

    from streamlit_app.components import frame

    shown = frame.page(
        "overview", "Overview", filters=("component", "route", "q"), known={"component": ["api", "web"]},
        trail=(("All", "/overview"), ("one", "")), help="What this shows.",
    )  # fmt: skip

    def part(view: object) -> None:
        st.session_state["times"] = [*st.session_state.get("times", []), view.end_at]  # type: ignore[attr-defined]

    frame.live(part, shown)
    st.session_state["shown"] = shown


@pytest.fixture
def page(settings: Settings, monkeypatch: pytest.MonkeyPatch, free_port: int) -> Any:
    monkeypatch.setenv("TTA_MONITOR_LIVE__PORT", str(free_port))
    monkeypatch.setattr(address, "now", lambda: NOW)
    saved.store.clear()

    def opened(role: Role = Role.ADMIN, **params: str) -> AppTest:
        made = sign_in_page_test(
            AppTest.from_function(a_page, default_timeout=60), settings.home, role
        )
        for name, value in params.items():
            made.query_params[name.rstrip("_")] = value
        return made.run()

    yield opened
    saved.store.clear()


def test_a_page_that_is_opened_leaves_its_address_alone(page: Any) -> None:
    shown = page()
    assert not shown.exception and title(shown) == "Overview"
    assert dict(shown.query_params) == {}, "a write would be one more step for the back button"
    assert links(shown)["All"] == "/overview"


def test_a_range_that_is_picked_stands_in_the_address_and_keeps_the_rest(page: Any) -> None:
    shown = page(component="api", trace="ab12")
    shown.button_group(key="range-label").set_value("6 h").run()
    assert not shown.exception
    assert _flat(shown) == {"range": "6 h", "component": "api", "trace": "ab12"}
    assert shown.session_state["shown"].length == timedelta(hours=6)


def test_a_step_back_in_time_is_absolute_and_now_returns(page: Any) -> None:
    shown = page()
    shown.button(key="range-Earlier").click().run()
    assert _flat(shown) == {"from": "2026-03-01T10:00:00Z", "to": "2026-03-01T11:00:00Z"}
    assert shown.session_state["shown"].ends_now is False
    shown.button(key="back-to-now").click().run()
    assert _flat(shown) == {"range": "1 h"}


def test_a_picked_time_is_of_the_clock_of_the_zone(page: Any) -> None:
    shown = page(tz="Asia/Kolkata")
    shown.date_input[0].set_value(datetime(2026, 2, 28).date())
    shown.time_input[0].set_value(datetime(2026, 2, 28, 5, 30).time())
    next(b for b in shown.button if b.label == "Show").click().run()
    assert not shown.exception
    assert _flat(shown) == {
        "from": "2026-02-28T00:00:00Z", "to": "2026-03-01T12:00:00Z", "tz": "Asia/Kolkata",
    }  # fmt: skip


def test_an_end_before_its_start_is_told_and_nothing_changes(page: Any) -> None:
    shown = page()
    shown.date_input[0].set_value(datetime(2026, 3, 2).date())
    next(b for b in shown.button if b.label == "Show").click().run()
    assert "range is empty" in words(shown) and _flat(shown) == {}


def test_filters_are_chips_that_can_be_taken_away(page: Any) -> None:
    shown = page(component="api", route="/a", model="not a filter here")
    assert [b.label for b in shown.button if (b.key or "").startswith("chip-")] == [
        "Component: api", "Route: /a",
    ]  # fmt: skip
    shown.button(key="chip-component").click().run()
    assert _flat(shown) == {"range": "1 h", "route": "/a", "model": "not a filter here"}
    shown.selectbox(key="filter-component").set_value("web").run()
    shown.text_input(key="filter-q").set_value(" slow ").run()
    assert shown.session_state["shown"].filters == {
        "component": "web", "route": "/a", "model": "not a filter here", "q": "slow",
    }  # fmt: skip
    shown.button(key="filters-none").click().run()
    assert _flat(shown) == {"range": "1 h", "model": "not a filter here"}


def test_a_parameter_that_is_not_understood_is_told_on_the_page(page: Any) -> None:
    shown = page(range="4 fortnights", tz="Mars")
    told = words(shown)
    assert "range is none of" in told and "tz is no time zone" in told


def test_comparing_stands_in_the_address(page: Any) -> None:
    shown = page()
    shown.radio(key="compare-with").set_value("Previous period").run()
    assert _flat(shown) == {"range": "1 h", "compare": "previous"}
    assert "The dashed line is 1 Mar 10:00 to 11:00" in words(shown)
    shown.radio(key="compare-with").set_value("Off").run()
    assert _flat(shown) == {"range": "1 h"}
    assert page(compare="release:1.4.2").radio(key="compare-with").value == "1.4.2"


def test_a_part_is_drawn_with_the_view_of_this_moment(
    page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = page()
    later = NOW + timedelta(seconds=5)
    monkeypatch.setattr(address, "now", lambda: later)
    shown.run()
    assert shown.session_state["times"] == [NOW, later]


def test_a_pause_lasts_until_somebody_goes_on_or_picks_a_rate(page: Any) -> None:
    shown = page()
    shown.button(key="pause").click().run()
    assert shown.session_state["is_paused"] is True
    shown.button_group(key="pick-rate").set_value("30 s").run()
    assert shown.session_state["is_paused"] is False
    assert shown.session_state["refresh rate"] == "30 s"


@pytest.mark.parametrize(
    ("session", "view", "expected"),
    [
        ({}, View(NOW - timedelta(hours=1), NOW, "1 h"), 1.5),
        ({}, View(NOW - timedelta(days=7), NOW, "7 d"), 30.0),
        ({}, View(NOW - timedelta(hours=1), NOW, None), None),
        ({"is_paused": True}, View(NOW - timedelta(hours=1), NOW, "1 h"), None),
        ({"refresh rate": "Off"}, View(NOW - timedelta(hours=1), NOW, "1 h"), None),
        ({"refresh rate": "5 s"}, View(NOW - timedelta(days=7), NOW, "7 d"), 5.0),
    ],
)
def test_a_page_refreshes_as_often_as_its_range_can_change(
    session: dict[str, Any], view: View, expected: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh.st, "session_state", session)
    assert refresh.rate_s(view) == expected


def test_ranges_read_like_words() -> None:
    end_at = datetime(2026, 3, 29, 12, tzinfo=UTC)
    day = View(end_at - timedelta(hours=24), end_at, None, zone="Europe/Berlin")
    assert range_picker.words(day) == "28 Mar 13:00 to 29 Mar 14:00"
    assert (
        range_picker.words(day.but(start_at=end_at - timedelta(hours=1))) == "29 Mar 13:00 to 14:00"
    )
    assert range_picker.words(View(NOW, NOW, "7 d")) == "Last 7 d"


def test_a_drag_of_a_hair_becomes_half_a_minute_around_it() -> None:
    start_at, end_at = range_picker.shortest(NOW, NOW + timedelta(milliseconds=300))
    assert end_at - start_at >= timedelta(seconds=30) and start_at < NOW < end_at


def test_a_role_without_operations_data_gets_neither_search_nor_ages(settings: Settings) -> None:
    def account() -> None:
        from streamlit_app.components import frame

        frame.page("account", "Account", has_range=False)

    shown = sign_in_page_test(
        AppTest.from_function(account, default_timeout=60), settings.home, Role.DESIGNER
    ).run()
    assert not shown.exception and title(shown) == "Account"
    assert not shown.text_input and not shown.warning and "live" not in words(shown)


FOUND = [
    {"kind": "component", "name": "api", "key": "api", "about": "", "last_at": NOW},
    {"kind": "route", "name": "/a/{id}", "key": "/a/{id}", "about": "api", "last_at": NOW},
    {"kind": "model", "name": "large", "key": "large", "about": "vendor", "last_at": NOW},
    {
        "kind": "error",
        "name": "KeyError: <b>",
        "key": "g1:ab",
        "about": "app.store",
        "last_at": NOW,
    },
    {"kind": "trace", "name": "00ff", "key": "00ff", "about": "api GET", "last_at": NOW},
    {"kind": "alert", "name": "RedisDown", "key": "abcd-1", "about": "", "last_at": NOW},
]


def test_what_has_a_name_is_found_and_opened(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = source.Reading(pd.DataFrame(FOUND))
    monkeypatch.setattr(tail, "search", lambda words, limit: reading)
    shown = page(range="6 h", component="web")
    shown.text_input(key="search-everything").set_value("a").run()
    assert not shown.exception
    opened = {name: urlsplit(address) for name, address in links(shown).items()}
    there = {one["name"]: opened[one["name"]] for one in FOUND}
    assert [t.path for t in there.values()] == [
        "/performance", "/performance", "/ai_models", "/errors", "/traces", "/alerts",
    ]  # fmt: skip
    assert dict(parse_qsl(there["KeyError: <b>"].query)) == {"range": "6 h", "group": "g1:ab"}
    assert "error group app.store" in words(shown)
    shown.button(key="search-close").click().run()
    assert "KeyError" not in words(shown)


def test_a_search_without_a_result_says_what_is_looked_through() -> None:
    told = search_box.listing([], "<i>x", View(NOW, NOW, "1 h"))
    assert "&lt;i&gt;x" in told and "trace ids" in told


def test_filters_of_other_pages_stay_in_the_address_and_do_not_count_here() -> None:
    view = View(NOW - timedelta(hours=1), NOW, "1 h", component="api", model="large", search="x")
    assert filter_bar.active(view, ("component",)) == {"component": "api"}
    assert filter_bar.title("q") == "Words" and filter_bar.title("ai_model") == "Ai model"


def _flat(shown: AppTest) -> dict[str, str]:
    return {k: v[0] if isinstance(v, list) else v for k, v in shown.query_params.items()}


def test_a_part_is_drawn_again_only_when_something_came_or_a_bucket_began(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    marks, moment, ran = [(1,)], [NOW], []
    monkeypatch.setattr(arrivals, "mark", lambda: marks[-1])
    monkeypatch.setattr(address, "now", lambda: moment[-1])
    monkeypatch.setattr(redraw, "_run", ran.append)
    shown, part = View(NOW - timedelta(hours=1), NOW, "1 h"), redraw._Drawn("live-1")
    redraw._draw(lambda view: None, shown, part)
    redraw._look(shown, part)
    moment.append(NOW + timedelta(seconds=59))
    redraw._look(shown, part)
    assert ran == [], "nothing came, and the minute of the last bucket is not over"
    marks.append((2,))
    redraw._look(shown, part)
    redraw._draw(lambda view: None, shown, part)
    moment.append(NOW + timedelta(seconds=61))
    redraw._look(shown, part)
    assert ran == ["live-1", "live-1"]


def test_what_came_is_asked_once_a_second_for_all_pages(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, clock = LiveAnswers(), [100.0]
    monkeypatch.setattr(source, "client", live)
    monkeypatch.setattr(source, "settings", lambda: settings)
    monkeypatch.setattr(arrivals.permission, "may_read", lambda *_: True)
    monkeypatch.setattr(arrivals.time, "monotonic", lambda: clock[-1])
    arrivals.forget()
    first = arrivals.mark()
    live.seq = 2
    assert arrivals.mark() == first and live.asked == ["freshness"]
    clock.append(101.0)
    assert arrivals.mark() != first
    live.is_down = True
    clock.append(102.0)
    assert "does not answer" in str(arrivals.mark())
    arrivals.forget()


def test_receivers_that_do_not_answer_are_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    away = settings.model_copy(deep=True)
    away.receiver.http_port = free_port
    monkeypatch.setattr(source, "settings", lambda: away)
    arrivals.forget()
    assert "Receivers do not answer" in str(arrivals.receivers_problem())
    arrivals.forget()


def test_a_whole_trace_id_is_opened_even_when_nothing_of_it_was_kept(
    page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "client", LiveAnswers())
    shown = page()
    shown.text_input(key="search-everything").set_value("AB" * 16).run()
    assert "/traces?" in links(shown)["ab" * 16] and "trace=abab" in links(shown)["ab" * 16]
