"""Marts that follow what arrived, pass by pass, are the marts that one build of everything makes."""

import math
import shutil
import time
from unittest.mock import patch

import pytest

from dagster_project.marts.warehouse import audience_marts
from dagster_project.process.build import run_build
from ingestion.lake.catalog import Catalog
from ingestion.lake.duck import open_published
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.receivers.doors.http import PATHS
from ingestion.settings import Settings, load_settings
from ingestion.spool import Spool
from privacy.keys.key_store import KeyStore
from tests.conftest import CAPTURE
from tta_monitor.traffic.replay import read_capture, shifted

_WHEN = {"meta_builds"}
# Of these the capture holds nothing.
_EMPTY = {
    "fct_alert_episodes",
    "fct_alert_resolution_weekly",
    "fct_db_pools_minutely",
    "fct_noted_items_hourly",
    "fct_dropped_items_hourly",
    "fct_rejected_items_hourly",
}
# What a group looks like is what the latest pass saw of it; what it counts is not.
_COUNTED = {
    "dim_error_groups": "group_key, component_count, error_count, first_seen_at, last_seen_at, state"
}

# Which of its errors are a group's newest is what each pass saw of them, as a log record or as a span event.
_ROWS = {"fct_exemplars": "fct_exemplars WHERE kind <> 'error'"}
_SPANS = "fct_trace_spans"


def rows_of(settings: Settings, mart: str) -> list[tuple]:
    con = open_published(settings, "operations")
    try:
        found = con.execute(
            f"SELECT {_COUNTED.get(mart, '*')} FROM {_ROWS.get(mart, mart)}"
        ).fetchall()
    finally:
        con.close()
    return sorted(found, key=lambda row: ([repr(_exact(v)) for v in row], [repr(v) for v in row]))


def _exact(value: object) -> object:
    return None if isinstance(value, float) else value


def _same(one: object, other: object) -> bool:
    """Sums of floating point differ in their last digits by the order in which they were added."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9) or (math.isnan(one) and math.isnan(other))
    return one == other


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Settings]:
    """The capture as if it ended now: built in three passes, one of which was killed, and at once."""
    folder = tmp_path_factory.mktemp("parts") / "home"
    folder.mkdir()
    keys = KeyStore.open(folder, create=True)
    settings = load_settings(folder)
    pipeline = Pipeline(Spool(settings.spool_path, keys), keys)
    bodies = shifted(read_capture(CAPTURE), time.time() - 60)
    # Every third body comes late: minutes that were built change, spans and logs of one error part.
    passes = [
        [Incoming(PATHS[b.path], b.body) for n, b in enumerate(bodies) if n % 3 == late]
        for late in range(3)
    ]
    for number, some in enumerate(passes):
        for start in range(0, len(some), 64):
            pipeline.process(some[start : start + 64])
        if number == 1:
            with patch.object(Catalog, "clean", side_effect=RuntimeError("killed")):
                assert not run_build(settings).ok
        else:
            assert run_build(settings).ok
    again = tmp_path_factory.mktemp("whole") / "home"
    shutil.copytree(folder, again)
    whole = load_settings(again)
    whole.warehouse_path.unlink()
    assert run_build(whole).ok
    return settings, whole


@pytest.mark.slow
@pytest.mark.parametrize("mart", sorted(audience_marts("operations") - _WHEN - {_SPANS}))
def test_marts_by_parts_equal_marts_at_once(homes: tuple[Settings, Settings], mart: str) -> None:
    by_parts, whole = (rows_of(settings, mart) for settings in homes)
    assert len(by_parts) == len(whole)
    for one, other in zip(by_parts, whole, strict=True):
        assert all(map(_same, one, other)), (one, other)
    assert by_parts or mart in _EMPTY


@pytest.mark.slow
def test_nothing_awaits_a_build_afterwards(homes: tuple[Settings, Settings]) -> None:
    assert [Catalog(s.lake_path).dirty_hours() for s in homes] == [[], []]


@pytest.mark.slow
def test_a_trace_that_came_in_parts_has_no_span_that_it_had_not_at_once(
    homes: tuple[Settings, Settings],
) -> None:
    # A trace may lack what came more than a pass before it was chosen; here it comes in four.
    by_parts, whole = (set(map(str, rows_of(settings, _SPANS))) for settings in homes)
    assert by_parts <= whole
    assert len(by_parts) > 0.5 * len(whole)
    missing = """
        SELECT count(*) FROM fct_exemplars WHERE kind <> 'error'
            AND (trace_id, span_id) NOT IN (SELECT (trace_id, span_id) FROM fct_trace_spans)"""
    con = open_published(homes[0], "operations")
    assert con.execute(missing).fetchone() == (0,)
    con.close()
