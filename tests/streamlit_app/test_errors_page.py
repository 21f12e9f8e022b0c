"""The Errors page: empty, filled, one group, and decisions that last."""

from datetime import datetime

import pytest
from streamlit.testing.v1 import AppTest

from ingestion.meaning.errors.group_states import State
from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.settings import Settings, load_settings
from live_tail.http.client import LiveAnswer
from live_tail.window.queries.asking import run_query
from privacy.keys.key_store import KeyStore
from streamlit_app.readings import errors as errors_data
from streamlit_app.readings import source
from streamlit_app.sign_in import doorman
from tests.conftest import ROOT
from tests.live_tail.window.test_hot_errors import Live, span_body
from tests.pages import links, tables, words
from tests.signing_in import sign_in_page_test

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

    class Client:
        def get(self, path: str, **_: object) -> dict:
            raise source.LiveUnavailable(path)

        def query(self, name: str, **given: object) -> LiveAnswer:
            texts = {k: str(v) for k, v in given.items() if v is not None}
            rows = [{}] if name == "freshness" else run_query(tail.window, name, texts)
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


def page(**address: str) -> AppTest:
    shown = AppTest.from_file(str(ROOT / "streamlit_app/views/errors.py"), default_timeout=60)
    sign_in_page_test(shown, load_settings().home)
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
    assert row["Error"] == "SceneError: scene <*> is gone"
    assert links(shown)[row["Error"]].startswith("/errors?range=1%20h&group=")


def test_a_group_shows_its_explanation_and_a_decision_lasts(live: Live) -> None:
    [(key, _)] = live.rows()
    shown = page(group=key)
    assert not shown.exception
    assert "Grouped by exception chain" in " ".join(c.value for c in shown.caption)
    assert "next_scene" in shown.code[0].value
    next(b for b in shown.button if b.label == "Resolve").click().run()
    assert not shown.exception
    assert live.store.group(key).state(live.window.now()) is State.RESOLVED
    next(b for b in shown.button if b.label == "Mute").click().run()
    assert live.store.group(key).state(live.window.now()) is State.MUTED


def test_minutes_without_an_error_are_zero(live: Live) -> None:
    import pandas as pd

    at = pd.Timestamp("2026-11-23T12:00Z")
    rows = pd.DataFrame({"bucket_at": [at], "group_key": ["g"], "error_count": [3]})
    filled = errors_data.counted(rows, 60, datetime(2026, 11, 23, 12, 2, tzinfo=at.tzinfo))
    assert list(filled["error_count"]) == [0, 3, 0, 0]


def test_an_unknown_group_says_why(live: Live) -> None:
    assert "merged" in page(group="g1:none").info[0].value


def test_search_and_state_narrow_the_list(live: Live) -> None:
    shown = page()
    shown.text_input(key="filter-q").set_value("no such words").run()
    assert not tables(shown) and shown.query_params["q"] == "no such words"
    shown.text_input(key="filter-q").set_value("gone next_scene").run()
    assert len(tables(shown)) == 1
