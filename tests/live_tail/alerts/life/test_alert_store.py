"""What is remembered of alerts and messages across restarts."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from live_tail.alerts.life import by_hand, transitions
from live_tail.alerts.life.alert_store import Store
from live_tail.alerts.life.outbox import Outgoing
from live_tail.alerts.life.untold import Untold
from live_tail.alerts.words.life_records import Book, Event
from privacy.keys.key_store import KeyStore
from tests.live_tail.alerts.support import START, reading, round_at, rule

S = timedelta(seconds=1)
RULES = {"Broken": rule()}


@pytest.fixture
def store(home: Path, keys: KeyStore) -> Iterator[Store]:
    made = Store(home, keys)
    yield made
    made.tables.close()


def commit(store: Store, alerts=(), events=(), outgoing=(), now=START) -> None:
    store.commit(alerts, events, ({}, {}), outgoing, now)


def message(key: str, *, subject: str = "s", channel: str = "hook", **payload: Any) -> Outgoing:
    return Outgoing(key, subject, channel, 60 * S, payload)


def test_of_an_alert_its_newest_episode_is_loaded(store: Store) -> None:
    book, _ = transitions.step(Book(), round_at(START, reading()), RULES)
    (first,) = book.alerts.values()
    later = first.but(episode=first.episode + 1)
    for order in ((first, later), (later, first)):
        commit(store, order)
        assert store.load()[0] == {first.fingerprint: later}


def test_events_say_who_and_are_told_to_the_warehouse_once(store: Store) -> None:
    book, (fired,) = transitions.step(Book(), round_at(START, reading()), RULES)
    book, acknowledged = by_hand.acknowledge(book, fired.alert.id, "anna", "", START + S)
    told = Event(START + 2 * S, "notified", acknowledged.alert)
    commit(store, book.alerts.values(), [fired, acknowledged, told])
    assert [(e["kind"], e["by"]) for e in store.events(fired.alert.id)] == [
        ("fired", ""), ("acknowledged", "anna"), ("notified", ""),
    ]  # fmt: skip
    unsent = Untold(store.tables).unsent(10)
    assert [(e.kind, e.notifications) for e in unsent] == [
        ("fired", 0), ("acknowledged", 0), ("notified", 1),
    ]  # fmt: skip
    assert len(Untold(store.tables).unsent(1)) == 1
    Untold(store.tables).mark_sent(unsent[1].seq)
    assert [e.kind for e in Untold(store.tables).unsent(10)] == ["notified"]


def test_resolved_episodes_are_the_history_the_newest_first(store: Store) -> None:
    book, _ = transitions.step(Book(), round_at(START, reading(host="a"), reading(host="b")), RULES)
    one, other = book.alerts.values()
    commit(store, [transitions.resolved(one, START, "x"), other])
    commit(store, [transitions.resolved(other, START, "x")], now=START + S)
    assert [a.labels for a in store.history(5)] == [other.labels, one.labels]
    assert [a.labels for a in store.history(1)] == [other.labels]


def test_a_message_is_taken_once_and_sent_in_order_when_it_is_due(store: Store) -> None:
    commit(store, outgoing=[message("a", text="1"), message("b"), message("c", channel="mail")])
    commit(store, outgoing=[message("a", text="2")])
    us = int(START.timestamp() * 1e6)
    assert store.outbox.waiting_channels() == {"hook", "mail"}
    assert store.outbox.due("hook", us - 1) is None and store.outbox.next_due_us("hook") == us
    first = store.outbox.due("hook", us)
    assert first is not None
    assert (first.key, first.payload, first.attempts, first.state) == (
        "a",
        {"text": "1"},
        0,
        "waiting",
    )
    store.outbox.mark("a", "waiting", due_us=us + 5, error="Timeout")
    second = store.outbox.due("hook", us + 4)
    assert second is not None and second.key == "b"
    store.outbox.mark("b", "delivered")
    assert store.outbox.is_replaced(first) and not store.outbox.is_replaced(second)
    assert store.outbox.next_due_us("hook") == us + 5
    (again,) = [store.outbox.due("hook", us + 5)]
    assert again is not None and (again.key, again.attempts) == ("a", 1)
    assert store.outbox.next_due_us("nowhere") is None
    assert store.outbox.payload("a") == {"text": "1"} and store.outbox.state_of("b") == "delivered"
    assert store.outbox.state_of("z") is None
    with pytest.raises(KeyError):
        store.outbox.payload("z")


def test_how_a_channel_fares_is_counted_until_it_delivers(store: Store) -> None:
    commit(store, outgoing=[message("a"), message("b")])
    for _ in range(2):
        store.outbox.mark("a", "waiting", error="Timeout")
    (hook,) = store.outbox.channels()
    assert (hook["name"], hook["failures"], hook["error"], hook["ok_us"]) == (
        "hook",
        2,
        "Timeout",
        None,
    )
    assert hook["failing_us"] is not None
    store.outbox.mark("b", "superseded")
    assert store.outbox.channels()[0]["failures"] == 2
    store.outbox.mark("a", "delivered")
    (hook,) = store.outbox.channels()
    assert (hook["failures"], hook["error"], hook["failing_us"]) == (0, "", None)
    log = store.outbox.deliveries(10)
    assert [(d["key"], d["state"], d["attempts"]) for d in log] == [
        ("b", "superseded", 1), ("a", "delivered", 3),
    ]  # fmt: skip
    assert all(d["done_us"] for d in log) and len(store.outbox.deliveries(1)) == 1


def test_a_message_of_unknown_outcome_waits_for_its_repeat_and_a_delivered_one_does_not(
    store: Store,
) -> None:
    commit(store, outgoing=[message("a"), message("b")])
    store.outbox.mark("b", "delivered")
    for key in ("a", "b"):
        store.outbox.defer(key)
    assert (store.outbox.state_of("a"), store.outbox.state_of("b")) == ("unconfirmed", "delivered")
    entry = store.outbox.due("hook", 2**62)
    assert entry is not None and (entry.attempts, entry.again_us) == (1, 60_000_000)


def test_what_is_over_for_ninety_days_is_forgotten_and_what_fires_is_not(store: Store) -> None:
    book, events = transitions.step(
        Book(), round_at(START, reading(host="a"), reading(host="b")), RULES
    )
    one, other = book.alerts.values()
    commit(store, [transitions.resolved(one, START, "x"), other], events)
    store.tidy(START + timedelta(days=90))
    assert len(store.history(5)) == 1 and len(store.events(one.id)) == 1
    store.tidy(START + timedelta(days=90) + S)
    assert store.history(5) == [] and store.events(one.id) == []
    assert list(store.load()[0].values()) == [other]


def test_another_process_commit_is_another_version(
    store: Store, home: Path, keys: KeyStore
) -> None:
    other = Store(home, keys)
    before = store.tables.version()
    assert store.tables.version() == before
    commit(other, outgoing=[message("a")])
    assert store.tables.version() != before
    other.tables.close()
