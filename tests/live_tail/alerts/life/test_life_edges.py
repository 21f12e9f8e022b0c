"""The edges of an alert's life: the instant at which it ends, is forgotten, or is told anew."""

from datetime import timedelta

import pytest

from live_tail.alerts.life import by_hand, transitions
from live_tail.alerts.words.life_records import BY_HAND, Book, State
from live_tail.alerts.words.rule_records import Reading
from tests.live_tail.alerts.support import START, reading, round_at, rule

S = timedelta(seconds=1)
RULES = {"Broken": rule()}
LABELS = (("alertname", "DiskFull"),)


def only(book: Book):
    (alert,) = book.alerts.values()
    return alert


def firing(*readings: Reading) -> Book:
    book, _ = transitions.step(Book(), round_at(START, *(readings or (reading(),))), RULES)
    return book


def test_what_is_over_is_forgotten_after_a_day_and_not_sooner() -> None:
    over, _ = transitions.step(firing(), round_at(START + S), RULES)
    ended = only(over).resolved_at
    assert ended == START + S
    for rules in (RULES, {}):
        kept, _ = transitions.step(over, round_at(ended + transitions.FORGET_AFTER), rules)
        assert only(kept).state is State.RESOLVED
        kept, _ = transitions.step(over, round_at(ended + transitions.FORGET_AFTER + S), rules)
        assert kept.alerts == {}
    early, _ = transitions.step(over, round_at(START), RULES)
    assert only(early).state is State.RESOLVED


def test_the_reason_stays_and_by_hand_ends_when_the_condition_does() -> None:
    book, _ = by_hand.resolve(firing(), only(firing()).id, "anna", START + S)
    assert (only(book).reason, only(book).resolved_by) == (BY_HAND, "anna")
    after, _ = transitions.step(book, round_at(START + 2 * S), RULES)
    assert only(after).reason == "the condition ended"
    gone, _ = transitions.step(firing(), round_at(START + S), {})
    back, _ = transitions.step(gone, round_at(START + 2 * S), RULES)
    assert (only(back).reason, only(back).held) == ("its rule was removed", timedelta(0))
    # So it fires at once when the condition comes again.
    _, events = transitions.step(after, round_at(START + 3 * S, reading()), RULES)
    assert [e.kind for e in events] == ["reopened"]


def test_frames_are_those_that_were_seen_last() -> None:
    def seen(*frames: str) -> Reading:
        return Reading("Broken", (), 1.0, {"frames": frames})

    book = firing(seen("a", "b", "c", "d", "e", "f"))
    assert only(book).frames == ("a", "b", "c", "d", "e")
    book, _ = transitions.step(book, round_at(START + S, seen()), RULES)
    assert only(book).frames == ("a", "b", "c", "d", "e")
    book, _ = transitions.step(book, round_at(START + 2 * S, seen("g")), RULES)
    assert only(book).frames == ("g",)


def test_an_alert_from_outside_ends_at_its_end_and_is_forgotten_a_day_later() -> None:
    times = {"starts_at": START, "ends_at": START + 60 * S, "summary": "", "effect": ""}
    book, _ = by_hand.receive(Book(), LABELS, START, **times)
    assert only(book).summary == "" and only(book).ends_at == START + 60 * S
    for after in (timedelta(0), 59 * S):
        kept, events = transitions.step(book, round_at(START + after), {})
        assert (events, only(kept).state) == ([], State.FIRING)
    over, events = transitions.step(book, round_at(START + 60 * S), {})
    assert [e.kind for e in events] == ["resolved"]
    over, events = transitions.step(over, round_at(START + 61 * S), {})
    assert (events, only(over).reason) == ([], "its sender ended it")
    # One that ended before it was heard of begins nothing; one that runs is ended by its sender.
    past = {**times, "ends_at": START - S}
    assert by_hand.receive(Book(), LABELS, START, **past) == (Book(), [])
    ended, events = by_hand.receive(book, LABELS, START + S, **{**times, "ends_at": START + S})
    assert [e.kind for e in events] == ["resolved"] and only(ended).resolved_at == START + S


def test_between_two_rounds_alerts_begin_and_those_that_fire_stay_as_they_are() -> None:
    book, events = transitions.hasten(Book(), [reading(), reading("Unknown")], RULES, START)
    assert [e.kind for e in events] == ["fired"] and only(book).fired_at == START
    assert transitions.hasten(book, [reading(value=9.0)], RULES, START + S) == (book, [])
    slow = {"Broken": rule(hold_for=10 * S)}
    book, events = transitions.hasten(Book(), [reading()], slow, START)
    assert [e.kind for e in events] == ["pending"]
    book, events = transitions.hasten(book, [reading()], slow, START + 20 * S)
    assert events == [] and only(book).held == timedelta(0)


def test_an_acknowledgement_that_is_old_is_one_no_more_and_a_younger_one_is() -> None:
    after = timedelta(hours=4)
    book, _ = by_hand.acknowledge(firing(), only(firing()).id, "anna", "why", START)
    assert by_hand.expired_acknowledgements(book, START + after - S, after) == []
    (again,) = by_hand.expired_acknowledgements(book, START + after, after)
    assert (again.state, again.acknowledged_by, again.level) == (State.FIRING, "", 0)
    assert by_hand.expired_acknowledgements(firing(), START + 2 * after, after) == []


def test_the_last_thirty_values_are_kept() -> None:
    book = Book()
    for n in range(31):
        book, _ = transitions.step(book, round_at(START + n * S, reading(value=float(n))), RULES)
    assert only(book).values == tuple(float(n) for n in range(1, 31))


def test_a_new_episode_begins_at_the_first_level_and_is_told_to_nobody_yet() -> None:
    alert = only(firing()).but(level=2, level_at=START, muted_by=("night",), unmuted_at=START)
    again = transitions.fire(transitions.resolved(alert, START + S, "x"), START + 2 * S)
    assert (again.level, again.level_at, again.muted_by, again.unmuted_at) == (0, None, (), None)
    assert (again.edition, again.episode, again.is_reopened) == (1, alert.episode + 1, True)


def test_fires_of_an_hour_ago_make_no_flapping() -> None:
    alert = only(firing())
    fires = tuple(START + n * S for n in range(transitions.FLAP_FIRES))
    flapping = Book({alert.fingerprint: alert.but(recent_fires=fires)}, {}, START)
    hour = transitions.FLAP_WITHIN
    still, _ = transitions.step(flapping, round_at(START + hour - S), RULES)
    over, _ = transitions.step(flapping, round_at(START + hour), RULES)
    assert (only(still).state, only(over).state) == (State.FIRING, State.RESOLVED)


def test_an_alert_is_named_by_enough_of_its_fingerprint_and_by_no_other() -> None:
    book = firing(reading(host="a"), reading(host="b"))
    names = sorted(book.alerts)
    both, _ = by_hand.acknowledge(book, names[0][:12], "anna", "", START)
    assert [both.alerts[n].state for n in names] == [State.ACKNOWLEDGED, State.FIRING]
    for name in ("", names[0][:3], "zzzz"):
        with pytest.raises(by_hand.UnknownAlert):
            by_hand.acknowledge(book, name, "anna", "", START)
    same = {"abcd1": book.alerts[names[0]].but(fingerprint="abcd1"),
            "abcd2": book.alerts[names[1]].but(fingerprint="abcd2")}  # fmt: skip
    with pytest.raises(by_hand.UnknownAlert, match="2 firing"):
        by_hand.acknowledge(Book(same), "abcd", "anna", "", START)
