"""Digests of error groups: one alert for many groups, named by the worst, told once an interval."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from live_tail.alerts.life import transitions
from live_tail.alerts.notify.dispatch import Routing, dispatch
from live_tail.alerts.notify.mute import mutes
from live_tail.alerts.notify.notify_policy import SHIPPED, load_policy
from live_tail.alerts.notify.templates import body, title
from live_tail.alerts.reading.rule_sources import Sources
from live_tail.alerts.rules.evaluate import readings_of
from live_tail.alerts.rules.rule_files import SHIPPED as RULES
from live_tail.alerts.rules.rule_files import load_rules
from live_tail.alerts.words.digests import digests, shortened, words
from live_tail.alerts.words.life_records import Alert, Book, State
from live_tail.alerts.words.rule_records import GroupChange, Reading, Rule
from live_tail.alerts.words.stored import alert_from, to_record, to_stored
from tests.live_tail.alerts.support import START, round_at, rule

NEW = next(r for r in load_rules([RULES / "content_delivery.yaml"]) if r.name == "ErrorGroupNew")
POLICY = load_policy(SHIPPED.parent)
FIRST = START.replace(tzinfo=None)


def change(
    key: str, *, minute: float = 0, count: int = 1, component: str = "api", error: str = ""
) -> GroupChange:
    return GroupChange(
        "new",
        {"component": component, "environment": "demo", "group": key},
        since=FIRST + timedelta(minutes=minute),
        error=error or f"KeyError: {key}",
        place="app.store load",
        count=count,
    )


class Known:
    """Sources that know some groups, and components for a day."""

    unjudged = ""

    def __init__(self, *changes: GroupChange, since: datetime = FIRST - timedelta(days=1)) -> None:
        self.changes, self._since = changes, since

    def groups(self, since: datetime) -> list[GroupChange]:
        return [c for c in self.changes if c.since >= since]

    def known_since(self, at: datetime) -> dict[str, datetime]:
        return {"api": self._since, "web": self._since}


def found(*changes: GroupChange, minute: float = 1, rule: Rule = NEW) -> list[Reading]:
    at = FIRST + timedelta(minutes=minute)
    sources: Sources = Known(*changes)  # type: ignore[assignment]
    return readings_of(rule, sources, at)


def after(book: Book, minute: float, *changes: GroupChange) -> Book:
    at = START + timedelta(minutes=minute)
    readings = found(*changes, minute=minute)
    return transitions.step(book, round_at(at, *readings), {NEW.name: NEW})[0]


def only(book: Book) -> Alert:
    (alert,) = book.alerts.values()
    return alert


def test_many_groups_are_one_alert_for_each_component_and_environment() -> None:
    readings = found(change("a"), change("b", count=9), change("c", component="web"))
    assert [(dict(r.labels)["component"], r.value) for r in readings] == [
        ("api", 2.0),
        ("web", 1.0),
    ]
    assert [g.key for g in readings[0].context["groups"]] == ["b", "a"]


def test_the_title_names_the_error_its_place_and_how_many_more() -> None:
    alert = only(after(Book(), 1, change("a"), change("b", count=9)))
    assert alert.summary == "New in api: KeyError: b in app.store load and 1 more"
    alone = only(after(Book(), 1, change("a")))
    assert alone.summary == "New in api: KeyError: a in app.store load"


def test_what_a_component_had_from_the_beginning_is_not_new() -> None:
    sources = Known(change("a", minute=29), change("b", minute=31), since=FIRST)
    (reading,) = readings_of(NEW, sources, FIRST + timedelta(minutes=32))  # type: ignore[arg-type]
    assert [g.key for g in reading.context["groups"]] == ["b"]
    assert "1 of 2" in sources.unjudged


def test_a_rule_may_ask_for_an_alert_for_each_group() -> None:
    when = NEW.spec["when"].model_copy(update={"by": ["component", "group"]})
    readings = found(change("a"), change("b"), rule=replace(NEW, spec={"when": when}))
    assert len(readings) == 2 and dict(readings[0].labels)["group"] == "a"


def told(book: Book, minute: float) -> tuple[Book, list[str]]:
    at = START + timedelta(minutes=minute)
    groups, sent = dispatch(book, Routing(POLICY), at)
    return Book(book.alerts, groups, book.at), [title(n) for n in sent]


def test_it_grows_quietly_and_tells_once_an_interval_what_came_since() -> None:
    first = change("a")
    book, sent = told(after(Book(), 1, first), 1)
    book, sent = told(after(book, 2, first), 2)
    assert sent == ["FIRING warning: New in api: KeyError: a in app.store load"]
    second = change("b", minute=20)
    for minute in (20, 40, 55):
        book, sent = told(after(book, minute, first, second), minute)
        assert sent == []
    assert only(book).summary.endswith("and 1 more")
    sent = []
    for minute in (62, 68, 75, 79):
        book, more = told(after(book, minute, first, second), minute)
        sent += more
    assert sent == ["FIRING warning: New in api: KeyError: b in app.store load"]
    # Nothing new for an hour: it ends, and nobody is told that it did.
    book, sent = told(after(book, 90, first, second), 90)
    assert not only(book).is_active and sent == []


def test_errors_that_all_came_with_an_outage_are_its_consequence_for_good() -> None:
    cause = transitions.fire(
        Alert("down", "DependencyDown", (("dependency", "redis"),), rule().severity,
              state=State.RESOLVED, started_at=START,
              inhibits=load_rules([RULES / "dependencies.yaml"])[0].inhibits),
        START,
    )  # fmt: skip
    cause = transitions.resolved(cause, START + timedelta(minutes=2), "the condition ended")
    uses = frozenset({("api", "redis")})
    late = START + timedelta(minutes=55)
    during = only(after(Book(), 55, change("a", minute=1)))
    both = only(after(Book(), 55, change("a", minute=1), change("b", minute=20)))
    assert mutes([cause, during], (), POLICY, uses, late)[during.fingerprint] == (
        "recovering:down",
    )
    assert mutes([cause, both], (), POLICY, uses, late)[both.fingerprint] == ()


def test_a_digest_survives_being_stored_and_a_message_links_its_groups() -> None:
    alert = only(after(Book(), 1, change("g1:ab")))
    assert alert_from(to_stored(alert)) == alert_from(to_record(alert)) == alert
    _, sent = dispatch(Book({alert.fingerprint: alert}), Routing(POLICY), START)
    assert sent == []
    book = after(Book(), 1, change("g1:ab"))
    groups, _ = dispatch(book, Routing(POLICY), START)
    _, (message, *_) = dispatch(
        Book(book.alerts, groups, book.at), Routing(POLICY), START + timedelta(minutes=5)
    )
    text = body(message, "http://app")
    assert "1 x KeyError: g1:ab in app.store load: http://app/errors?group=g1%3Aab" in text


@pytest.mark.parametrize("length", [90, 91, 400])
def test_a_long_title_is_cut_at_a_word(length: int) -> None:
    text = ("word " * 100)[:length]
    assert len(shortened(text)) <= 90
    assert shortened("short") == "short"


def test_without_groups_there_is_nothing_to_name() -> None:
    assert words(()) == {} and digests((), ("component",)) == {}
