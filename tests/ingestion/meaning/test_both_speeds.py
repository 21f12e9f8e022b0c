"""The live window and the marts say the same of the same telemetry: every shared figure of every minute.

What is sent is made up (`made_up`), what is compared stands in `shared_figures`. Equal means equal, not
close.
"""

import os
from collections import Counter
from datetime import UTC, datetime
from random import Random

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dagster_project.process.build import run_build
from ingestion.lake.duck import open_published
from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.settings import load_settings
from ingestion.spool import Spool
from live_tail.window.follow import Follower
from live_tail.window.window import Window
from privacy.keys.key_store import KeyStore
from tests.ingestion.meaning.made_up import batches, bodies
from tests.ingestion.meaning.shared_figures import SHARED

_EXAMPLES = int(os.environ.get("TTA_MONITOR_TEST_EXAMPLES", "1"))
_OWN_LABELS = {"component", "environment", "host"}


def _reader(window: Window) -> duckdb.DuckDBPyConnection:
    """A cursor of the window that also knows its series, their labels as the marts write them."""
    cursor = window.cursor()
    known = window.points.series
    series = pa.table(
        {
            "series": pa.array(range(len(known)), pa.int32()),
            "metric": [one.metric for one in known],
            "component": [one.labels["component"] for one in known],
            "labels": [_as_text(one.labels) for one in known],
        }
    )
    cursor.register("series", series)
    return cursor


def _as_text(labels: dict[str, str]) -> str:
    own = {name: value for name, value in labels.items() if name not in _OWN_LABELS}
    if own.keys() & {"system.cpu.state", "system.memory.state"}:
        # The label `state` is the window's own word for either of them.
        own.pop("state", None)
    return "{" + ", ".join(f"{name}={value}" for name, value in own.items()) + "}"


@pytest.mark.slow
@given(chance=st.randoms(use_true_random=True))
@hypothesis_settings(
    max_examples=_EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # A smaller example would cost a build for each try.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
def test_every_shared_figure_of_every_shared_minute_is_equal(
    tmp_path_factory: pytest.TempPathFactory, chance: Random
) -> None:
    home = tmp_path_factory.mktemp("speeds") / "home"
    home.mkdir()
    keys = KeyStore.open(home, create=True)
    settings = load_settings(home)
    spool = Spool(settings.spool_path, keys)
    pipeline = Pipeline(spool, keys)
    for number, batch in enumerate(batches(chance)):
        pipeline.process(bodies(batch))
        if number == 0:
            # Minutes that were built once change afterwards.
            assert run_build(settings).ok
    assert run_build(settings).ok

    window = Window(minutes=60, max_errors=1_000, clock=lambda: datetime.now(UTC))
    follower = Follower(spool, window)
    while follower.step():
        pass
    con = open_published(settings, "operations")
    try:
        different = {
            figure: _difference(
                _reader(window).execute(hot).fetchall(), con.execute(cold).fetchall()
            )
            for figure, (hot, cold) in SHARED.items()
        }
    finally:
        con.close()
    assert not {figure: rows for figure, rows in different.items() if rows}


def _difference(hot: list[tuple], cold: list[tuple]) -> dict[str, list[tuple]]:
    """Rows that only one of both has; empty when they are equal."""
    assert cold, "no figure without a row: nothing would be compared"
    seen, built = Counter(hot), Counter(cold)
    only = {"hot": list((seen - built).elements()), "cold": list((built - seen).elements())}
    return {speed: rows[:5] for speed, rows in only.items() if rows}
