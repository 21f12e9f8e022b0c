"""The Errors page: empty, filled, one group, and decisions that last."""

from datetime import datetime, timedelta

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ingestion.meaning.errors.group_states import State
from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.settings import Settings, load_settings
from live_tail.http.client import LiveAnswer
from live_tail.window.queries.asking import run_query
from privacy.access.access_policy import Role
from privacy.keys.key_store import KeyStore
from streamlit_app.components import address
from streamlit_app.components.events import error_decisions
from streamlit_app.page_files import FILES
from streamlit_app.readings import errors as errors_data
from streamlit_app.readings import ranges, source
from streamlit_app.sign_in import doorman
from tests.live_tail.window.test_hot_errors import NOW, Live, span_body
from tests.pages import links, tables, tiles, words
from tests.signing_in import sign_in_page_test
from tests.streamlit_app.reading_answers import published

CACHES = (source.settings, source.client, source._marts, errors_data.store)


@pytest.fixture(autouse=True)
def fresh_caches():
    for cached in CACHES:
        cached.clear()
    doorman.forget()
    yield
    for cached in CACHES:
        cached.clear()


@pytest.fixture
def live(
    pipeline: Pipeline, settings: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> Live:
    """A window that answers the page's queries without a socket."""
    pipeline.process([span_body(number=n, value=str(n)) for n in range(1, 5)])
    tail = Live(settings, keys)
    # Pages and window go by one clock, however long other tests took since it was set.
    for clock in (address, ranges):
        monkeypatch.setattr(clock, "now", lambda: tail.now + timedelta(minutes=1))

    class Client:
        def get(self, path: str, **_: object) -> dict:
            raise source.LiveUnavailable(path)

        def query(self, name: str, **given: object) -> LiveAnswer:
            texts = {k: str(v) for k, v in given.items() if v is not None}
            rows = [{"live_seq": 1}] if name == "freshness" else run_query(tail.window, name, texts)
            shown = [
                {k: v.isoformat() + "Z" if isinstance(v, datetime) else v for k, v in row.items()}
                for row in rows
            ]
            return LiveAnswer(name, "2026-11-25T12:00:00+00:00", 0.0, shown)

    monkeypatch.setattr(source, "client", _Cached(Client()))
    return tail


class _Cached:
    def __init__(self, client: object) -> None:
        self._client = client

    def __call__(self) -> object:
        return self._client

    def clear(self) -> None:
        """Nothing is kept."""


def page(role: Role = Role.ADMIN, **address: str) -> AppTest:
    shown = AppTest.from_file(str(FILES["errors"]), default_timeout=60)
    sign_in_page_test(shown, load_settings().home, role)
    for name, value in address.items():
        shown.query_params[name] = value
    return shown.run()


def test_without_a_live_tail_the_page_says_what_to_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    monkeypatch.setenv("TTA_MONITOR_LIVE__PORT", str(free_port))
    shown = page()
    assert not shown.exception
    assert "monitor up" in words(shown)


def test_groups_are_listed_with_state_and_count(live: Live) -> None:
    shown = page()
    assert not shown.exception
    [[row]] = tables(shown)
    assert (row["State"], row["Errors"]) == ("new", "4")
    title, place = "SceneError: scene <*> is gone", "next_scene"
    assert row["Error"].startswith(title) and place in row["Error"]
    assert links(shown)[title].startswith("/errors?range=1%20h&group=")


def test_a_group_shows_its_explanation_and_a_decision_lasts(live: Live) -> None:
    [(key, _)] = live.rows()
    shown = page(group=key)
    assert not shown.exception
    assert "Grouped by exception chain" in words(shown)
    assert any("next_scene" in code.value for code in shown.code)
    next(b for b in shown.button if b.label == "Resolve").click().run()
    assert not shown.exception
    assert live.store.group(key).state(live.window.now()) is State.RESOLVED
    next(b for b in shown.button if b.label == "Mute").click().run()
    assert live.store.group(key).state(live.window.now()) is State.MUTED


def test_minutes_without_an_error_are_zero(live: Live) -> None:
    at = pd.Timestamp("2026-11-23T12:00Z")
    rows = pd.DataFrame({"bucket_at": [at], "group_key": ["g"], "error_count": [3]})
    filled = errors_data.counted(rows, 60, datetime(2026, 11, 23, 12, 2, tzinfo=at.tzinfo))
    assert list(filled["error_count"]) == [0, 3, 0, 0]


def test_an_unknown_group_says_why(live: Live) -> None:
    assert "merged" in words(page(group="g1:none"))


def test_a_group_leads_to_its_traces_its_releases_and_back(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    [(key, _)] = live.rows()
    shown = page(group=key)
    assert not shown.exception
    releases, traces = (_table(shown, column) for column in ("Errors", "Trace"))
    assert [(r["Release"], r["Errors"]) for r in releases] == [("1.0.0", "4")]
    assert len(traces) == 4 and traces[0]["Release"] == "1.0.0"
    ways = links(shown)
    assert ways[traces[0]["Trace"]].startswith("/traces?") and "trace=" in ways[traces[0]["Trace"]]
    assert ways["1.0.0"].startswith("/performance?") and "version=1.0.0" in ways["1.0.0"]
    assert "group=" not in ways["All errors"]
    assert tiles(shown)["Errors in all"] == "4" and "release 1.0.0" in words(shown)


def _table(shown: AppTest, column: str) -> list[dict[str, str]]:
    return next(t for t in tables(shown) if t and column in t[0])


def test_a_calm_range_says_what_would_fill_the_list_and_each_panel_of_a_group(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    [(key, _)] = live.rows()
    live.now = NOW + timedelta(minutes=30)
    monkeypatch.setattr(address, "now", lambda: live.now)
    assert "An error comes here with" in words(page(range="5 min"))
    shown = page(range="5 min", group=key)
    assert not shown.exception and "No errors of this group in this range." in words(shown)


def test_marts_that_end_before_the_range_are_said_to_be_old(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {
        "group_key": "g1:x", "title": "OSError: x", "culprit": None, "components": ["api", "web"], "error_count": 3,
        "session_count": None, "last_seen_at": pd.Timestamp(NOW),
    }  # fmt: skip
    published(
        monkeypatch,
        lambda sql: pd.DataFrame([row] if "any_value" in sql else []),
        timedelta(hours=2),
    )
    shown = page(range="7 d")
    assert not shown.exception and "Marts are 2 h 00 old." in words(shown)
    [[told]] = tables(shown)
    assert (told["Components"], told["Release"]) == ("api +1", "—")
    assert "no frame of our own" in told["Error"] and "nan" not in words(shown)


def test_whoever_may_not_decide_is_told_so_and_a_designer_sees_no_errors(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    [(key, _)] = live.rows()
    monkeypatch.setattr(
        error_decisions.permission, "may_read", lambda right, name: name != "errors.change"
    )
    shown = page(group=key)
    assert not shown.exception and "does not see decisions about errors" in words(shown)
    refused = page(Role.DESIGNER)
    assert not tables(refused) and refused.warning


def test_search_and_state_narrow_the_list(live: Live) -> None:
    shown = page()
    shown.segmented_control(key="state-here").set_value("Muted").run()
    assert not tables(shown) and shown.query_params["state"] in ("muted", ["muted"])
    shown.segmented_control(key="state-here").set_value("All").run()
    shown.text_input(key="filter-q").set_value("no such words").run()
    assert not tables(shown) and shown.query_params["q"] == "no such words"
    shown.text_input(key="filter-q").set_value("gone next_scene").run()
    assert len(tables(shown)) == 1
