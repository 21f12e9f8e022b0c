"""What pages read: the live window and the marts say figures that go together."""

from datetime import datetime
from typing import Any

import pytest

from ingestion.lake.duck import open_published
from ingestion.settings import Settings
from ingestion.spool import Spool
from live_tail.window.queries import run_query
from live_tail.window.window import Window
from privacy.keys.key_store import KeyStore
from streamlit_app.readings import performance
from tests.live_tail.test_live_tail import Clock, catch_up


@pytest.fixture
def from_marts(built: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The readings over what the capture was built into, whatever their age."""
    published = open_published(built, "operations")
    monkeypatch.setattr(performance, "is_live", lambda _: False)
    monkeypatch.setattr(performance, "since", lambda minutes: datetime(2020 + (minutes < 60), 1, 1))
    monkeypatch.setattr(
        performance,
        "marts",
        lambda sql, **given: performance.Reading(published.execute(sql, given).df()),
    )
    return performance


def test_no_quantile_of_a_route_is_above_its_longest_live_or_later(
    built: Settings, from_marts: Any
) -> None:
    window = Window(minutes=60, max_errors=10, clock=Clock())
    catch_up(Spool(built.spool_path, KeyStore.open(built.home)), window)
    live = run_query(window, "routes", {"minutes": 60})
    later = from_marts.routes(60, None).frame.to_dict("records")
    for rows in (live, later):
        assert len(rows) > 3
        assert [r for r in rows if not r["p50_ms"] <= r["p99_ms"] <= r["ms_max"]] == []


def test_other_quantiles_from_marts_are_read_as_well(from_marts: Any) -> None:
    assert from_marts.latency(60, None).frame["p99_ms"].gt(0).all()
    assert from_marts.databases(60, None).frame["p95_ms"].gt(0).all()
    assert from_marts.ai_models(60, None).frame["p95_ms"].gt(0).all()
