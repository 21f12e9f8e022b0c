"""Critical alerts stand on every page until somebody acknowledges; the Alerts page acts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from ingestion.settings import Settings
from streamlit_app.components.alerts import cards as alert_cards
from streamlit_app.components.alerts import tree as alert_tree
from streamlit_app.components.header import banner
from streamlit_app.readings import source
from tests.pages import links, words
from tests.streamlit_app.test_pages import PAGES, fresh_caches, page  # noqa: F401

NOW = datetime.now(UTC)


def alert(**changes: Any) -> dict[str, Any]:
    return {
        "id": "abcd1234-1", "rule": "RedisDown", "summary": "Redis is *down*", "state": "firing",
        "severity": "critical", "effect": "Sessions cannot be saved.", "muted_by": [],
        "labels": [["dependency", "redis"]], "runbook": ["Restart Redis"], "runbook_url": "",
        "value": 1.0, "values": [0.0, 1.0], "note": "", "acknowledged_by": "",
        "fired_at": (datetime.now(UTC) - timedelta(minutes=3)).isoformat(), "started_at": NOW.isoformat(),
        "resolved_at": None, "reason": "",
        "next": {"at": (NOW + timedelta(minutes=2)).isoformat(), "notify": ["on-call:first"]},
        **changes,
    }  # fmt: skip


class Client:
    def __init__(self) -> None:
        self.posted: list[str] = []

    def get(self, path: str, **_: Any) -> dict[str, Any]:
        past = alert(state="resolved", resolved_at=NOW.isoformat(), reason="the condition ended")
        week = {
            "week": "2026-11-23", "rule": "RedisDown", "component": "", "severity": "critical",
            "fired": 2, "acted_on": 1, "noise_pct": 50.0, "reopened": 0, "mtta_s": None,
            "mttr_s": 200.0, "mtbf_s": None,
        }  # fmt: skip
        log = {"created_us": 1, "channel": "hook", "state": "delivered", "attempts": 1, "error": ""}
        return {"count": 3, "alerts": [past], "weeks": [week], "deliveries": [log]}

    def post(self, path: str, **_: Any) -> dict[str, Any]:
        self.posted.append(path)
        return {}

    def query(self, *_: Any, **__: Any) -> Any:
        raise source.LiveUnavailable("run `./tta.sh monitor up`.")


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Client:
    made = Client()
    silence = {
        "id": "5f0c", "matchers": ['a="b"'], "ends_at": NOW.isoformat(), "created_by": "anna",
        "comment": "deployment",
    }  # fmt: skip
    channel = {"name": "hook", "type": "webhook", "failures": 2, "error": "HTTP 500"}
    answer = {
        "alerts": [alert(), alert(id="ef-1", severity="warning", state="pending", next=None)],
        "silences": [silence], "channels": [channel], "problem": "",
        "unjudged": {"Odd": "not enough history: 1 of 1 series have fewer than 3 weeks"},
        "on_call": [{"schedule": "first", "member": "anna", "next_handover_at": NOW.isoformat()}],
    }  # fmt: skip
    monkeypatch.setattr(source, "client", lambda: made)
    monkeypatch.setattr(source, "alerts", lambda: answer)
    return made


@pytest.mark.parametrize("name", PAGES)
def test_a_critical_alert_stands_on_every_page_with_what_happens_next(
    name: str, client: Client
) -> None:
    shown = page(name).run()
    assert not shown.exception
    told = words(shown)
    assert "Redis is *down*" in told and "(3 min)" in told and "Sessions cannot" in told
    assert "first is told at" in told
    assert links(shown)["Redis is *down*"] == "/alerts?alert=abcd1234-1"


def test_the_button_acknowledges(client: Client) -> None:
    shown = page("overview").run()
    shown.button(key="ack-banner-abcd1234-1").click().run()
    assert client.posted == ["/api/v1/alerts/abcd1234-1/acknowledge"]


def test_the_page_shows_actions_silences_channels_and_history(client: Client) -> None:
    shown = page("alerts").run()
    assert not shown.exception
    told = " ".join(e.value for e in [*shown.markdown, *shown.caption]).replace("\\", "")
    for expected in (
        "Restart Redis",
        "deployment",
        "first: anna",
        "HTTP 500",
        "not enough history",
    ):
        assert expected in told
    (weeks,) = [t.value for t in shown.dataframe if "Noise" in t.value.columns]
    assert (weeks["Noise"][0], weeks["MTTA"][0], weeks["MTTR"][0]) == ("50 %", "—", "3 min")
    next(t for t in shown.text_input if "Matchers" in t.label).input('a="b"').run()
    assert "Matches 3 now." in [c.value for c in shown.caption]
    next(b for b in shown.button if b.label == "Silence").click().run()
    assert client.posted == ["/api/v1/silences"]


def test_published_weeks_stand_before_the_live_state_and_say_how_old_they_are(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    week = {
        "week": "2026-11-16", "rule": "RedisDown", "component": "", "severity": "critical", "fired": 9,
        "acted_on": 9, "noise_pct": 0.0, "reopened": 1, "mtta_s": 180.0, "mttr_s": 300.0, "mtbf_s": None,
    }  # fmt: skip
    monkeypatch.setattr(source, "alert_weeks", lambda: source.Reading(pd.DataFrame([week])))
    monkeypatch.setattr(source, "ages", lambda: source.Ages(marts_age_s=240.0))
    shown = page("alerts").run()
    assert not shown.exception
    published, live = [t.value for t in shown.dataframe if "Noise" in t.value.columns]
    assert (published["Week"][0], published["MTTA"][0], published["MTBF"][0]) == (
        "2026-11-16", "3 min", "—",
    )  # fmt: skip
    assert live["Week"][0] == "2026-11-23"
    told = [e.value for e in [*shown.markdown, *shown.caption]]
    assert told.index("**Resolution by week**") < told.index("**Live state**")
    assert any(w.startswith("Published 4 min ago") for w in told)


@pytest.mark.parametrize(
    "changes", [{"severity": "warning"}, {"state": "acknowledged"}, {"muted_by": ["silence:1"]}]
)
def test_what_is_acknowledged_muted_or_less_than_critical_is_no_banner(
    changes: dict[str, Any],
) -> None:
    assert alert_cards.is_waiting(alert()) and not alert_cards.is_waiting(alert(**changes))


def shown_alerts(monkeypatch: pytest.MonkeyPatch, *alerts: dict[str, Any]) -> None:
    answer = {**source.alerts(), "alerts": list(alerts)}  # type: ignore[dict-item]
    monkeypatch.setattr(source, "alerts", lambda: answer)


def test_the_banner_has_one_line_for_each_cause_and_three_at_most(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_one_rule = [alert(id=f"same{n}-1", summary=f"Route {n} fails") for n in range(3)]
    others = [alert(id=f"abcd{n}-1", rule=f"Rule{n}", summary=f"Fault {n}") for n in range(6)]
    shown_alerts(monkeypatch, *of_one_rule, *others)
    shown = page("overview").run()
    assert not shown.exception
    told = words(shown)
    assert "Route 0 fails" in told and "and 2 more of it" in told and "Route 1 fails" not in told
    assert "Fault 1" in told and "Fault 2" not in told
    assert links(shown)["and 4 more"] == "/alerts"
    shown.button(key="ack-banner-same0-1").click().run()
    assert [p.split("/")[4] for p in client.posted] == ["same0-1", "same1-1", "same2-1"]


def test_what_names_a_waiting_alert_as_its_cause_stands_on_its_line() -> None:
    cause = {"id": "abcd1234-1", "summary": "Redis is down", "resolved_at": None}
    low = alert(id="low-1", rule="Slow", cause=cause)
    apart = alert(id="other-1", rule="Slow")
    assert [[a["id"] for a in line] for line in banner.causes([low, alert(), apart])] == [
        ["low-1", "abcd1234-1"], ["other-1"],
    ]  # fmt: skip


def test_consequences_stand_below_their_cause_and_not_beside_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    cause = {"id": "abcd1234-1", "summary": "Redis is down", "resolved_at": None}
    over = {"id": "gone-1", "summary": "neo4j is down", "resolved_at": "2026-11-29T13:07:00+00:00"}
    shown_alerts(
        monkeypatch,
        alert(),
        *(alert(id=f"low{n}-1", muted_by=["inhibited:abcd1234"], cause=cause) for n in range(3)),
        alert(id="late-1", muted_by=["recovering:gone"], cause=over),
    )
    shown = page("alerts").run()
    assert not shown.exception
    assert [b.key for b in shown.button if "card" in (b.key or "")] == ["ack-card-abcd1234-1"]
    titles = [e.label.replace("\\", "") for e in shown.expander]
    assert titles[0] == "3 consequences of this, muted and recorded"
    assert (
        titles[1] == "1 consequence of “neo4j is down”, over since 13:07 UTC: muted while they end"
    )


def test_a_digest_lists_its_errors_as_links_and_draws_no_line_that_says_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = {"key": "g1:ab", "error": "KeyError: <b>*x*", "place": "app.store load", "count": 3}
    one = alert(severity="warning", groups=[{**group, "key": f"g1:{n}"} for n in range(7)])
    shown_alerts(monkeypatch, one)
    shown = page("alerts").run()
    assert not shown.exception
    (first, *_) = listed = [m.value for m in shown.markdown if m.value.startswith("Error group")]
    assert len(listed) == 5 and 'href="/errors?group=g1%3A0" target="_self"' in first
    assert "&#60;b&#62;&#42;x&#42;" in first and "app.store load · 3" in first
    assert any("and 2 more error groups" in m.value for m in shown.markdown)
    assert alert_tree.telling([1.0, None, 1.0]) == [] and alert_tree.telling([0.0, 1.0]) == [0, 1]


def test_a_failure_links_the_group_of_its_exception(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = pd.DataFrame(
        [
            {"group_key": "g1:a", "title": "KeyError: x", "culprit": "", "exception_type": "KeyError",
             "components": ["api"], "error_count": 4},
            {"group_key": "g1:b", "title": "OSError: y", "culprit": "", "exception_type": "OSError",
             "components": ["api"], "error_count": 9},
        ]
    )  # fmt: skip
    labels = {"component": "api", "exception_type": "KeyError"}
    (found,) = alert_tree.matching(rows, labels)
    assert (found["key"], found["error"], found["count"]) == ("g1:a", "KeyError: x", 4)
