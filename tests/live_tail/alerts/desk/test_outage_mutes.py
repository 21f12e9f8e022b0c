"""What a dead dependency mutes, during its outage and after it."""

from live_tail.alerts.words.rule_records import Inhibition
from tests.live_tail.alerts.desk.conftest import Desk
from tests.live_tail.alerts.support import reading, round_at, rule


def test_a_dead_dependency_mutes_its_dependants_but_records_them(desk: Desk) -> None:
    down = rule("RedisDown", inhibits=(Inhibition(targets=(("rule", "Slow"),), by_use=True),))
    rules = {"RedisDown": down, "Slow": rule("Slow")}
    uses = frozenset({("api", "redis")})
    found = (
        reading("RedisDown", dependency="redis"),
        reading("Slow", component="api"),
        reading("Slow", component="web"),
    )
    for _ in range(6):
        desk.manager.take(round_at(desk.clock.forward(seconds=10), *found, uses=uses), rules)
    muted = {dict(a.labels).get("component"): a.muted_by for a in desk.manager.board.alerts()}
    assert muted["api"] and muted["api"][0].startswith("inhibited:")
    assert muted["web"] == () and muted[None] == ()
    kinds = [
        e["kind"]
        for a in desk.manager.board.alerts()
        if a.muted_by
        for e in desk.manager.board.events(a)
    ]
    assert kinds == ["fired", "muted"]


class Outage:
    """Redis dies for a minute; the API's error budget goes on burning in its long windows."""

    down, burning = reading("RedisDown", dependency="redis"), reading("Burning", component="api")

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        down = rule("RedisDown", is_fast=True, inhibits=(Inhibition(by_use=True),))
        self._rules = {"RedisDown": down, "Burning": rule("Burning", is_fast=True)}
        self.rounds(60, self.down, self.burning)
        self.rounds(10, self.burning)

    def rounds(self, seconds: float, *found, step: float = 10) -> None:
        uses = frozenset({("api", "redis")})
        for _ in range(int(seconds / step)):
            at = self._desk.clock.forward(seconds=step)
            self._desk.manager.take(round_at(at, *found, uses=uses), self._rules)

    def told(self) -> set[str]:
        return {title for _, _, title in self._desk.told() if "Burning" in title}

    def mutes(self) -> list[str]:
        alerts = [a for a in self._desk.manager.board.alerts() if a.rule == "Burning"]
        return [m.partition(":")[0] for a in alerts for m in a.muted_by]


def test_what_an_outage_set_off_is_not_told_after_it_ended(desk: Desk) -> None:
    outage = Outage(desk)
    assert outage.mutes() == ["recovering"]
    outage.rounds(25 * 60, outage.burning, step=60)
    desk.restart()
    outage.rounds(60, outage.burning)
    assert outage.mutes() == ["recovering"]
    outage.rounds(10)
    assert outage.told() == set()


def test_what_still_burns_after_the_grace_is_told_and_escalated_from_then(desk: Desk) -> None:
    outage = Outage(desk)
    outage.rounds(30 * 60, outage.burning)
    assert outage.mutes() == [] and outage.told() == {"FIRING critical: Burning"}
    people = [c for _, c, title in desk.told() if "Burning" in title and c != "hook"]
    assert people == []
    outage.rounds(6 * 60, outage.burning)
    people = [c for _, c, title in desk.told() if "Burning" in title and c != "hook"]
    assert people == ["ben"] or people == ["anna"]


def test_what_begins_long_after_the_recovery_is_told_at_once(desk: Desk) -> None:
    outage = Outage(desk)
    outage.rounds(120)
    outage.rounds(60, outage.burning)
    assert outage.mutes() == [] and outage.told() == {"FIRING critical: Burning"}
