"""Life events go through the door once each, whatever fails on the way."""

from datetime import UTC, datetime, timedelta

import pytest

from ingestion.doors.own_receiver import SendFailed
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings
from ingestion.spool import Spool
from live_tail.alerts.desk.facts_out import FactsOut, body_of
from live_tail.alerts.desk.manager import Manager
from live_tail.alerts.life.alert_store import Store
from live_tail.alerts.life.resolution import weekly
from live_tail.alerts.life.untold import Untold
from live_tail.alerts.notify.notify_policy import WatchedPolicy
from live_tail.alerts.reading.rule_sources import Sources
from live_tail.alerts.reading.selecting import Select
from live_tail.window.window import Window
from privacy.keys.key_store import KeyStore
from tests.live_tail.alerts.support import Clock, reading, round_at, rule


class Life:
    """One alert that fires, is acknowledged by somebody and ends."""

    def __init__(self, settings: Settings, keys: KeyStore) -> None:
        self.clock = Clock(datetime.now(UTC))
        self.store = Store(settings.home, keys)
        self.manager = Manager(self.store, WatchedPolicy(settings.home), clock=self.clock)
        self.rules = {"Broken": rule(is_fast=True)}

    def fire(self, component: str = "api") -> str:
        self.manager.take(round_at(self.clock.now, reading(component=component)), self.rules)
        return self.manager.board.alerts()[0].id

    def end(self) -> None:
        self.manager.take(round_at(self.clock.forward(minutes=5)), self.rules)


@pytest.fixture
def life(settings: Settings, keys: KeyStore) -> Life:
    return Life(settings, keys)


def kept(spool: Spool) -> list[dict[str, str]]:
    tables = [b.table() for b in spool.read(0, signals=["logs"])]
    return [dict(a) for t in tables for a in t["attributes"].to_pylist()]


def test_every_event_passes_the_gate_whole(life: Life, pipeline: Pipeline, spool: Spool) -> None:
    name = life.fire()
    life.clock.forward(minutes=2)
    life.manager.acknowledge(name, "anna", "looking at the call of Mr Jones")
    life.end()
    out = FactsOut(
        life.store.tables, lambda body: pipeline.process([Incoming("logs", body)]) and None
    )
    assert out.step() == 4
    assert out.step() == 0
    found = kept(spool)
    assert [f["tta.alert.event"] for f in found] == [
        "fired",
        "notified",
        "acknowledged",
        "resolved",
    ]
    assert {f["tta.alert.rule"] for f in found} == {"Broken"}
    assert {f["tta.alert.component"] for f in found} == {"api"}
    assert [f["tta.alert.notifications"] for f in found] == ["0", "1", "1", "1"]
    assert len({f["tta.alert.id"] for f in found}) == 1 and "<" not in found[0]["tta.alert.id"]
    assert found[-1]["tta.alert.is_by_hand"] == "false"
    assert not any("Jones" in v or "anna" in v for f in found for v in f.values())


def test_that_somebody_resolved_it_is_known_after_the_condition_ended(
    life: Life, pipeline: Pipeline, spool: Spool
) -> None:
    life.manager.resolve(life.fire(), "ben")
    life.end()
    FactsOut(
        life.store.tables, lambda body: pipeline.process([Incoming("logs", body)]) and None
    ).step()
    assert kept(spool)[-1]["tta.alert.is_by_hand"] == "true"
    (week,) = weekly(life.manager.board.history(10))
    assert (week["acted_on"], week["noise_pct"]) == (1, 0.0)


def test_what_was_not_answered_is_sent_again_with_the_same_bytes(life: Life) -> None:
    life.fire()
    bodies: list[bytes] = []

    def refuses(body: bytes) -> None:
        bodies.append(body)
        raise SendFailed("503")

    with pytest.raises(SendFailed):
        FactsOut(life.store.tables, refuses).step()
    life.end()
    life.fire("story")
    sent = FactsOut(life.store.tables, bodies.append)
    first = Untold(life.store.tables).unsent(2)
    assert body_of(first) == bodies[0]
    assert sent.step() >= 4 and sent.step() == 0


def test_a_large_backlog_goes_out_in_bounded_parts(life: Life) -> None:
    readings = [reading(component=f"c{n}") for n in range(600)]
    life.manager.take(round_at(life.clock.now, *readings), life.rules)
    out, sizes = FactsOut(life.store.tables, lambda _: None), []
    while count := out.step():
        sizes.append(count)
    assert max(sizes) == 500 and sum(sizes) >= 1_200


def test_the_door_being_closed_ends_nothing(life: Life) -> None:
    import threading

    life.fire()
    tried = threading.Event()

    def refuses(_: bytes) -> None:
        tried.set()
        raise SendFailed("ConnectError")

    out = FactsOut(life.store.tables, refuses)
    thread = threading.Thread(target=out.run)
    thread.start()
    assert tried.wait(10)
    out.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_the_silence_of_alerts_is_no_alert(life: Life, pipeline: Pipeline, spool: Spool) -> None:
    now = datetime.now(UTC)
    window = Window(minutes=60, max_errors=10, clock=lambda: now)
    for minute in range(20, 10, -1):
        life.clock.now = now - timedelta(minutes=minute)
        life.fire()
        life.end()
    FactsOut(
        life.store.tables, lambda body: pipeline.process([Incoming("logs", body)]) and None
    ).step()
    window.ingest("logs", [(b.seq, b.table()) for b in spool.read(0, signals=["logs"])])
    sightings = window.cursor().execute("SELECT count(*) FROM hot_sightings").fetchone()
    assert sightings and sightings[0] >= 5
    silent = Sources(window).vector(Select(fact="silent"), now.replace(tzinfo=None))
    assert silent == {}
