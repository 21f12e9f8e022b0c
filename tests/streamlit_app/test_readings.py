"""What pages read: the live window and the marts say figures that go together."""

from datetime import UTC, datetime

import pytest

from ingestion.settings import Settings
from ingestion.spool import Spool
from live_tail.window.queries.asking import run_query
from live_tail.window.window import Window
from privacy.keys.key_store import KeyStore
from streamlit_app.readings import ai_models, databases, ranges, requests, source
from streamlit_app.sign_in import permission
from streamlit_app.view import View
from tests.live_tail.test_live_tail import Clock, catch_up


@pytest.fixture
def whole(built: Settings, monkeypatch: pytest.MonkeyPatch) -> View:
    """A view of the marts into which the capture was built, whatever their age."""
    monkeypatch.setattr(source, "settings", lambda: built)
    monkeypatch.setattr(permission, "require_of_viewer", lambda *_: None)
    monkeypatch.setattr(ranges, "is_live", lambda _: False)
    source._marts.clear()
    return View(datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC), None)


def test_no_quantile_of_a_route_is_above_its_longest_live_or_later(
    built: Settings, whole: View
) -> None:
    window = Window(minutes=60, max_errors=10, clock=Clock())
    catch_up(Spool(built.spool_path, KeyStore.open(built.home)), window)
    live = run_query(window, "routes", {"minutes": "60"})
    later = requests.routes(whole).frame.to_dict("records")
    for rows in (live, later):
        assert len(rows) > 3
        assert [r for r in rows if not r["p50_ms"] <= r["p99_ms"] <= r["ms_max"]] == []


def test_other_quantiles_from_marts_are_read_as_well(whole: View) -> None:
    for reading, name in (
        (requests.latency(whole), "p99_ms"),
        (databases.statements(whole), "p95_ms"),
        (ai_models.models(whole), "p95_ms"),
    ):
        assert len(reading.frame) > 0 and min(reading.frame[name]) > 0
