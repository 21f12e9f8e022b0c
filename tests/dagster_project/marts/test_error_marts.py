"""Errors in the marts are the live tail's: same groups, same counts."""

from datetime import UTC, datetime

import pytest

from dagster_project.process.build import run_build
from ingestion.lake.duck import open_published
from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.settings import Settings
from ingestion.spool import Spool
from live_tail.window.follow import Follower
from live_tail.window.window import Window
from privacy.keys.key_store import KeyStore
from tests.live_tail.window.test_hot_errors import log_body


def test_batch_and_live_count_the_same_errors_in_the_same_groups(built: Settings) -> None:
    keys = KeyStore.open(built.home)
    window = Window(
        minutes=1_440 * 30, max_errors=100, clock=lambda: datetime(2026, 11, 23, 23, tzinfo=UTC)
    )
    follower = Follower(Spool(built.spool_path, keys), window)
    while follower.step():
        pass
    hot = window.cursor().execute(
        "SELECT group_key, component, count(*) FROM hot_error_groups GROUP BY ALL ORDER BY ALL"
    ).fetchall()  # fmt: skip
    cold = open_published(built, "operations")
    found = cold.execute(
        "SELECT group_key, component, sum(error_count)::BIGINT FROM fct_errors_hourly GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert len(hot) > 5
    assert found == hot
    groups = cold.execute(
        "SELECT count(*), sum(error_count), count(*) FILTER (WHERE explanation = '') FROM dim_error_groups"
    ).fetchone()
    assert groups == (len({k for k, _, _ in hot}), sum(n for _, _, n in hot), 0)


@pytest.mark.slow
def test_errors_of_one_moment_of_one_span_are_one_example_and_stop_no_pass(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    """Raised in two lines of one function: two occurrences, which an example cannot tell apart."""
    pipeline.process([log_body(line=10), log_body(line=11)])
    assert run_build(settings).ok
    con = open_published(settings, "operations")
    counted = con.execute("SELECT sum(error_count)::BIGINT FROM fct_errors_hourly").fetchall()
    examples = con.execute("SELECT count(*) FROM fct_exemplars WHERE kind = 'error'").fetchall()
    con.close()
    assert (counted, examples) == ([(2,)], [(1,)])
