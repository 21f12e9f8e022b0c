"""An alert's life: held, kept, flapping, missed rounds, jumping clocks, never lost, never doubled."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_tail.alerts.life import by_hand, transitions
from live_tail.alerts.words.life_records import Book, State
from live_tail.alerts.words.rule_records import Severity
from live_tail.alerts.words.stored import alert_from, to_stored
from tests.live_tail.alerts.support import START, reading, round_at, rule

S = timedelta(seconds=1)


def run(rules, *rounds):
    book, kinds = Book(), []
    for rnd in rounds:
        book, events = transitions.step(book, rnd, rules)
        kinds += [e.kind for e in events]
    return book, kinds


def only(book: Book):
    (alert,) = book.alerts.values()
    return alert


def test_an_alert_waits_as_long_as_its_rule_says_and_then_fires() -> None:
    rules = {"Broken": rule(hold_for=30 * S)}
    rounds = [round_at(START + n * 10 * S, reading()) for n in range(4)]
    book, kinds = run(rules, *rounds)
    assert kinds == ["pending", "fired"]
    assert only(book).fired_at == START + 30 * S


def test_a_condition_that_ends_while_it_waits_leaves_nothing() -> None:
    rules = {"Broken": rule(hold_for=30 * S)}
    book, kinds = run(rules, round_at(START, reading()), round_at(START + 10 * S))
    assert book.alerts == {} and kinds == ["pending"]


def test_a_jump_of_the_clock_neither_fires_nor_resolves() -> None:
    rules = {"Broken": rule(hold_for=10 * 60 * S, keep_firing_for=10 * 60 * S)}
    far = timedelta(days=3)
    book, kinds = run(rules, round_at(START, reading()), round_at(START + far, reading()))
    assert kinds == ["pending"]
    book, _ = transitions.step(book, round_at(START, reading()), rules)
    assert only(book).state is State.PENDING


def test_it_keeps_firing_as_long_as_its_rule_says() -> None:
    rules = {"Broken": rule(keep_firing_for=20 * S)}
    rounds = [round_at(START, reading()), *(round_at(START + n * 10 * S) for n in (1, 2))]
    assert run(rules, *rounds[:2])[1] == ["fired"]
    assert run(rules, *rounds)[1] == ["fired", "resolved"]


def test_n_of_m_rounds_must_be_active() -> None:
    rules = {"Broken": rule(of_last=(2, 3))}
    on, off = (reading(),), ()
    seen = [on, off, off, on, on]
    rounds = [round_at(START + n * 5 * S, *some) for n, some in enumerate(seen)]
    assert "fired" not in run(rules, *rounds[:4])[1]
    assert run(rules, *rounds)[1][-1] == "fired"


def test_a_rule_that_failed_or_was_not_due_keeps_its_alerts() -> None:
    rules = {"Broken": rule()}
    book, _ = run(rules, round_at(START, reading()))
    for rnd in (
        round_at(START + S, failed={"Broken": "BinderException"}),
        round_at(START + S, evaluated=frozenset({"Other"})),
    ):
        after, events = transitions.step(book, rnd, rules)
        assert events == [] and only(after).state is State.FIRING


def test_a_rule_that_is_removed_resolves_its_alerts_with_the_reason() -> None:
    book, _ = run({"Broken": rule()}, round_at(START, reading()))
    book, events = transitions.step(book, round_at(START + S), {})
    assert [e.kind for e in events] == ["resolved"]
    assert only(book).reason == "its rule was removed"


def test_an_acknowledgement_ends_with_its_alert() -> None:
    rules = {"Broken": rule()}
    book, _ = run(rules, round_at(START, reading()))
    book, _ = by_hand.acknowledge(book, only(book).id, "anna", "", START)
    assert only(book).state is State.ACKNOWLEDGED
    book, _ = transitions.step(book, round_at(START + S), rules)
    book, events = transitions.step(book, round_at(START + 2 * S, reading()), rules)
    assert [e.kind for e in events] == ["reopened"]
    assert only(book).acknowledged_by == "" and only(book).episode == 2


def test_resolved_by_hand_stays_closed_for_a_while_then_opens_again() -> None:
    rules = {"Broken": rule()}
    book, _ = run(rules, round_at(START, reading()))
    book, _ = by_hand.resolve(book, only(book).fingerprint, "anna", START)
    at, kinds = START, []
    for _ in range(16):
        at += timedelta(minutes=1)
        book, events = transitions.step(book, round_at(at, reading()), rules)
        kinds += [(e.kind, at - START) for e in events]
    assert kinds == [("reopened", transitions.HAND_GRACE)]


def test_an_alert_that_flaps_stays_firing_until_it_is_quiet() -> None:
    rules = {"Broken": rule()}
    book, kinds = Book(), []
    for n in range(20):
        rnd = round_at(START + n * 30 * S, *([reading()] if n % 2 == 0 else []))
        book, events = transitions.step(book, rnd, rules)
        kinds += [e.kind for e in events]
    assert sum(k in {"fired", "reopened"} for k in kinds) == transitions.FLAP_FIRES
    assert only(book).state is State.FIRING


def test_an_unknown_alert_is_named_in_one_sentence() -> None:
    with pytest.raises(by_hand.UnknownAlert, match="alerts list"):
        by_hand.acknowledge(Book(), "abcd", "anna", "", START)


def test_an_alert_from_outside_lives_until_its_end() -> None:
    labels = (("alertname", "DiskFull"), ("severity", "critical"))
    times = {"starts_at": START, "ends_at": None, "summary": "", "effect": ""}
    book, events = by_hand.receive(Book(), labels, START, **times)
    assert [e.kind for e in events] == ["fired"] and only(book).severity is Severity.CRITICAL
    assert by_hand.receive(book, labels, START + S, **times)[1] == []
    book, events = transitions.step(book, round_at(START + timedelta(minutes=6)), {})
    assert [e.kind for e in events] == ["resolved"]


@given(
    st.lists(
        st.tuples(st.sampled_from(["on", "off", "failed", "ack", "resolve", "removed", "restart"]),
                  st.integers(-100, 600)),
        max_size=60,
    )
)  # fmt: skip
def test_whatever_happens_no_alert_is_lost_or_doubled(steps) -> None:
    rules = {"Broken": rule(hold_for=10 * S, keep_firing_for=20 * S)}
    book, at, fired, ended = Book(), START, [], []
    for what, seconds in steps:
        at += seconds * S
        name = next(iter(book.alerts), "")
        was = book.alerts.get(name)
        if what == "restart":
            stored = {n: alert_from(to_stored(a)) for n, a in book.alerts.items()}
            assert stored == book.alerts
            book = Book(stored)
            continue
        if what in {"ack", "resolve"}:
            if was is None or not was.is_active:
                continue
            act = (
                by_hand.acknowledge(book, name, "a", "", at)
                if what == "ack"
                else by_hand.resolve(book, name, "a", at)
            )
            book, events = act[0], [act[1]]
        else:
            rnd = round_at(
                at, *([reading()] if what == "on" else []),
                failed={"Broken": "Error"} if what == "failed" else {},
            )  # fmt: skip
            book, events = transitions.step(book, rnd, {} if what == "removed" else rules)
        for event in events:
            if event.kind in {"fired", "reopened"}:
                assert event.alert.id not in fired
                fired.append(event.alert.id)
            if event.kind == "resolved" and event.alert.episode:
                ended.append(event.alert.id)
        if was is not None and was.is_active:
            assert name in book.alerts, "a firing alert disappeared"
    open_now = [a.id for a in book.alerts.values() if a.is_active]
    assert sorted(set(fired)) == sorted(fired)
    assert set(fired) == set(ended) | set(open_now)
