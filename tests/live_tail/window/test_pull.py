"""Pull, do not poll: nothing is done for nobody, and what gathered is taken in at once."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings
from ingestion.spool import Spool, SpoolBatch
from live_tail.alerts.notify.notifier import Notifier
from live_tail.alerts.reading.rule_sources import Sources
from live_tail.alerts.rules.evaluate import evaluate
from live_tail.alerts.rules.fast_lane import FastLane
from live_tail.alerts.rules.rounds import Rounds
from live_tail.alerts.rules.rule_files import SHIPPED, load_rules
from live_tail.http.live_api import build_app
from live_tail.window.follow import Follower
from live_tail.window.opened import Opened
from live_tail.window.window import Window
from privacy.keys.key_store import KeyStore
from tests.conftest import ROOT
from tests.live_tail.test_live_tail import NOW, Clock, catch_up, request_body, total

RULES = load_rules([SHIPPED])


class Counting:
    """A DuckDB connection that counts what it and its cursors are asked."""

    def __init__(self, inner: Any, asked: list[str] | None = None) -> None:
        self._inner = inner
        self.asked: list[str] = [] if asked is None else asked

    def execute(self, sql: str, *more: Any) -> Any:
        self.asked.append(sql)
        # What is inserted stands by its name in the frame of who asks.
        staged = sys._getframe(1).f_locals.get("staged")
        return (
            self._inner.execute(sql, *more) if staged is None else _insert(self._inner, sql, staged)
        )

    def cursor(self) -> "Counting":
        return Counting(self._inner.cursor(), self.asked)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _insert(con: Any, sql: str, staged: Any) -> Any:
    assert staged is not None
    return con.execute(sql)


class Life:
    """Window, follower and fast lane over one spool, as in the live tail, under a clock of ours."""

    def __init__(self, settings: Settings, keys: KeyStore) -> None:
        self.now_s = 1_000.0
        self.window = Window(minutes=60, max_errors=10, clock=Clock())
        self.asked = Counting(self.window._tables.con)
        self.window._tables.con = self.asked
        self.spool, self.opened = Spool(settings.spool_path, keys), Opened()
        self.follower = Follower(
            self.spool,
            self.window,
            fresh_ms=500,
            opened=self.opened,
            monotonic=lambda: self.now_s,
            clock=lambda: datetime.now(UTC).timestamp() + self.now_s - 1_000,
        )
        self.lane = FastLane(
            Spool(settings.spool_path, keys),
            settings.home,
            lambda: RULES,
            lambda _: None,
            opened=self.opened,
        )
        self.ingested: list[str] = []
        ingest = self.window.ingest

        def counted(signal: str, batches: Any) -> int:
            self.ingested.append(signal)
            return ingest(signal, batches)

        self.window.ingest = counted  # type: ignore[method-assign]


@pytest.fixture
def life(settings: Settings, keys: KeyStore) -> Life:
    return Life(settings, keys)


def statements(spool: Spool) -> list[str]:
    """What a spool is asked from now on."""
    asked: list[str] = []
    spool._db.set_trace_callback(asked.append)
    return asked


def send(pipeline: Pipeline, numbers: Iterator[int] | range) -> None:
    for number in numbers:
        pipeline.process([Incoming("spans", request_body(number, NOW - timedelta(seconds=5)))])


def test_with_nothing_new_a_second_of_life_asks_neither_window_nor_spool(
    life: Life, pipeline: Pipeline
) -> None:
    send(pipeline, range(3))
    life.lane.look()
    life.follower.step()
    life.follower.look()
    life.asked.asked.clear()
    of_window, of_lane = statements(life.spool), statements(life.lane._spool)
    for _ in range(10):
        life.now_s += 0.1
        life.lane.look()
    life.follower.look()
    assert life.asked.asked == []
    assert set(of_window) | set(of_lane) == {"PRAGMA data_version"}
    assert len(of_lane) == 10 and len(of_window) == 1


def test_fifty_commits_between_two_questions_are_taken_in_at_once(
    life: Life, pipeline: Pipeline
) -> None:
    send(pipeline, range(50))
    life.follower.take_in()
    assert sorted(life.ingested) == ["ledger", "spans"]
    assert total(life.window) == 50


def test_taking_in_runs_no_statement_until_somebody_reads(life: Life, pipeline: Pipeline) -> None:
    life.asked.asked.clear()
    for number in range(5):
        send(pipeline, range(10 * number, 10 * number + 10))
        life.follower.take_in(unless_fresh=False)
    assert life.asked.asked == []
    assert total(life.window) == 50
    inserts = [sql for sql in life.asked.asked if sql.startswith("INSERT")]
    assert inserts == ["INSERT INTO hot_requests SELECT * FROM staged"]


def test_a_reader_sees_what_was_committed_before_it_asked(life: Life, pipeline: Pipeline) -> None:
    client = TestClient(build_app(life.window, life.follower))
    for number in range(3):
        send(pipeline, range(number, number + 1))
        life.now_s += 0.5
        rows = client.get("/api/v1/query/requests?minutes=60").json()["rows"]
        assert sum(row["request_count"] for row in rows) == number + 1
        assert client.get("/api/v1/query/freshness").json()["rows"][0]["lag_ms"] == 0


def test_what_the_lake_lacks_is_counted_once(life: Life, pipeline: Pipeline, spool: Spool) -> None:
    for drained in (0, 2):
        spool.mark_drained(drained)
        for number in range(2):
            send(pipeline, range(10 * drained + number, 10 * drained + number + 1))
            assert life.follower.freshness()["pending_items"] == spool.pending()[1]
    life.follower.freshness()
    asked = statements(life.spool)
    life.follower.freshness()
    counted = [sql for sql in asked if "sum(row_count)" in sql and "<=" in sql]
    last = spool.last_seq()
    assert len(counted) == 1 and f"seq > {last} AND seq <= {last}" in counted[0]


def test_readers_in_the_same_moment_share_one_look(life: Life, pipeline: Pipeline) -> None:
    send(pipeline, range(2))
    for _ in range(9):
        life.now_s += 0.05
        life.follower.take_in()
    assert life.ingested == ["spans", "ledger"]
    send(pipeline, range(2, 3))
    life.follower.take_in()
    assert len(life.ingested) == 2
    assert life.follower.lag_ms is not None and life.follower.lag_ms > 0


def test_what_nobody_asks_for_is_taken_in_when_it_is_old(life: Life, pipeline: Pipeline) -> None:
    send(pipeline, range(2))
    assert not life.follower.look()
    assert life.ingested == []
    assert life.follower.is_ready()
    life.now_s += 21
    assert life.follower.look()
    assert life.ingested == ["spans", "ledger"]


def test_what_waits_for_longer_than_it_may_is_not_ready(life: Life, pipeline: Pipeline) -> None:
    send(pipeline, range(1))
    life.now_s += 60
    assert not life.follower.is_ready()
    life.follower.step()
    assert life.follower.is_ready()


def test_a_failed_look_leaves_the_reader_an_older_answer(
    life: Life, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(pipeline, range(1))
    with monkeypatch.context() as broken:
        broken.setattr(life.window, "ingest", lambda *_: 1 / 0)
        life.follower.take_in()
    assert life.follower.live_seq == 0
    life.now_s += 1
    life.follower.take_in()
    assert total(life.window) == 1


def test_a_batch_that_cannot_be_taken_in_is_set_aside_and_the_rest_goes_on(
    life: Life, pipeline: Pipeline, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(pipeline, range(5))
    bad = next(iter(spool.read(2, signals=["spans"]))).seq
    ingest = life.window.ingest

    def fails(signal: str, batches: Any) -> int:
        if bad in [seq for seq, _ in batches]:
            raise RuntimeError
        return ingest(signal, batches)

    monkeypatch.setattr(life.window, "ingest", fails)
    for _ in range(3):
        life.now_s += 1
        life.follower.take_in()
    assert (total(life.window), life.follower.unreadable) == (4, 1)
    assert life.follower.is_caught_up()
    assert life.ingested.count("ledger") == 1


def test_a_batch_that_the_fast_lane_opened_is_not_opened_again(
    life: Life, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    table = SpoolBatch.table

    def counted(batch: SpoolBatch) -> Any:
        opened.append(batch.signal)
        return table(batch)

    send(pipeline, range(3))
    life.lane.seq = 0
    monkeypatch.setattr(SpoolBatch, "table", counted)
    life.lane.look()
    life.follower.take_in()
    assert opened.count("spans") == 3
    assert total(life.window) == 3


def test_the_shelf_is_bounded_and_forgets_what_an_erasure_changed(
    spool: Spool, pipeline: Pipeline
) -> None:
    send(pipeline, range(1))
    batch = next(iter(spool.read(0, signals=["spans"])))
    shelf = Opened(max_rows=1)
    shelf.put(1, 0, batch.table())
    shelf.put(2, 0, batch.table())
    assert shelf.take(2, 0) is None
    assert shelf.take(1, 1) is None  # from before an erasure
    shelf.put(3, 1, batch.table())
    assert shelf.take(3, 1) is not None and shelf.take(3, 1) is None
    shelf.pass_by(5)
    shelf.put(4, 1, batch.table())
    assert shelf.take(4, 1) is None


def test_rules_over_an_empty_window_ask_nothing(life: Life) -> None:
    life.asked.asked.clear()
    rules = [rule for rule in RULES if rule.kind not in {"sql", "error_group"}]
    assert not evaluate(rules, Sources(life.window), NOW).failed
    assert life.asked.asked == []


def test_a_rule_that_begins_with_a_failure_is_looked_at_rarely_until_something_fails(
    life: Life,
) -> None:
    rounds = Rounds(Sources(life.window), [r for r in RULES if r.name == "DependencyDown"])
    rounds.make(NOW)
    at = [NOW + timedelta(seconds=n) for n in range(1, 8)]
    assert [rounds.is_due(moment) for moment in at[:4]] == [False] * 4
    assert rounds.is_due(at[4])
    rounds.hasten(at[0])
    for moment in at[:4]:
        assert rounds.is_due(moment)
        rounds.make(moment)


def test_a_rule_that_is_looked_at_rarely_anyway_is_not_hastened_by_failures(life: Life) -> None:
    rare = [r for r in RULES if r.name == "StoryGenerationFailures"]
    rounds = Rounds(Sources(life.window), rare)
    rounds.make(NOW)
    assert not rounds.waits_for(frozenset({"failures"}))
    rounds.hasten(NOW + timedelta(seconds=1))
    assert not rounds.is_due(NOW + timedelta(seconds=1))


def test_rules_fall_due_together(life: Life) -> None:
    rounds = Rounds(Sources(life.window), RULES)
    rounds.make(NOW + timedelta(seconds=7.3))
    due = [n for n in range(8, 31) if rounds.is_due(NOW + timedelta(seconds=n))]
    assert due[0] == 10


def test_a_tidy_with_nothing_new_rewrites_nothing(life: Life, pipeline: Pipeline) -> None:
    send(pipeline, range(3))
    life.follower.step()
    life.window.tidy()
    life.asked.asked.clear()
    life.window.tidy()
    assert not [sql for sql in life.asked.asked if sql.startswith(("INSERT", "CREATE"))]


def test_a_notifier_without_news_asks_only_whether_there_are_any(
    settings: Settings, keys: KeyStore
) -> None:
    notifier = Notifier(settings.home, keys, dict)
    asked: list[str] = []
    notifier._tables.db.set_trace_callback(asked.append)
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        if len(waits) == 20:
            notifier._stopping.set()
        return False

    notifier._stopping.wait = wait  # type: ignore[method-assign]
    notifier.run()
    assert len([sql for sql in asked if sql != "PRAGMA data_version"]) == 1


def test_the_live_processes_import_only_what_they_use() -> None:
    heavy = (
        "pandas presidio_analyzer spacy grpc streamlit dagster opentelemetry httpx sklearn".split()
    )
    script = (
        "import sys; from ingestion.processes.lean import without_pandas; without_pandas();"
        "import live_tail.__main__, live_tail.alerts.notify.notifier; import pyarrow as pa; pa.array([1]);"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_two_readers_take_in_the_same_rows_once(life: Life, pipeline: Pipeline) -> None:
    from concurrent.futures import ThreadPoolExecutor

    send(pipeline, range(20))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: life.follower.take_in(unless_fresh=False), range(8)))
    assert total(life.window) == 20
    assert catch_up(life.spool, Window(minutes=60, max_errors=10, clock=Clock())).is_caught_up()
