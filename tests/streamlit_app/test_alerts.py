"""Critical alerts stand on every page until somebody acknowledges; the Alerts page says what is wrong and acts."""

import re
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from ingestion.settings import Settings
from privacy.access.access_policy import Role
from streamlit_app.components.alerts import cards as alert_cards
from streamlit_app.components.alerts import tree as alert_tree
from streamlit_app.components.causes import curve as alert_curve
from streamlit_app.components.causes import explain
from streamlit_app.components.header import banner
from streamlit_app.readings import alerts as alerts_data
from streamlit_app.readings import source
from streamlit_app.view import View, iso
from tests.pages import links, tables, title, words
from tests.streamlit_app.alert_answers import (
    BEGUN,
    NOW,
    Client,
    alert,
    curve,
    over,
    standing,
)
from tests.streamlit_app.test_pages import PAGES, fresh_caches, page  # noqa: F401

SHOWN = View(NOW - timedelta(hours=1), NOW.replace(microsecond=0))
GROUP = {"key": "g1:ab", "error": "KeyError: <b>*x*", "place": "app.store load", "count": 3}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Client:
    made = Client()
    monkeypatch.setattr(source, "client", lambda: made)
    shown_alerts(
        monkeypatch,
        alert(),
        alert(id="ef-1", rule="Slow", severity="warning", state="pending", next=None),
    )
    alerts_data.forget()
    return made


def shown_alerts(monkeypatch: pytest.MonkeyPatch, *alerts: dict[str, Any], **more: Any) -> None:
    monkeypatch.setattr(source, "alerts", lambda: {**standing(*alerts), **more})


@pytest.mark.parametrize("name", PAGES)
def test_a_critical_alert_stands_on_every_page_with_what_happens_next(
    name: str, client: Client
) -> None:
    shown = page(name).run()
    assert not shown.exception
    told = words(shown)
    assert "Redis is *down*" in told and re.search(r"\(\d+ min\)", told)
    assert "Sessions cannot" in told
    assert "first is told at" in told
    assert "alert=abcd1234-1" in links(shown)["Redis is *down*"]


def test_the_button_acknowledges(client: Client) -> None:
    shown = page("overview").run()
    shown.button(key="ack-banner-abcd1234-1").click().run()
    assert client.posted == ["/api/v1/alerts/abcd1234-1/acknowledge"]


def test_a_card_says_what_failed_what_to_do_and_where_who_knows_and_who_is_next(
    client: Client,
) -> None:
    shown = page("alerts").run()
    assert not shown.exception
    told, ways = words(shown), links(shown)
    assert (
        not re.search(r"(?<!\d)1\. ", told)
        and "Restart Redis" in told
        and "dependency redis" in told
    )
    assert "Told: hook at" in told and "(waiting: HTTP 500)" in told
    assert "Next, unless acknowledged: first at" in told
    assert "p95 of requests in 2 min · now 11.0 ms" in told
    assert ways["Open Logs"].startswith("/logs?") and "severity=error" in ways["Open Logs"]
    assert f"at={iso(BEGUN).replace(':', '%3A')}" in ways["Open Logs"]


def test_the_page_shows_silences_channels_and_history(client: Client) -> None:
    shown = page("alerts").run()
    told = words(shown)
    for expected in ("deployment", "first: anna", "HTTP 500", "not enough history"):
        assert expected in told
    (weeks,) = [t for t in tables(shown) if t and "Noise" in t[0]]
    assert (weeks[0]["Noise"], weeks[0]["MTTA"], weeks[0]["MTTR"]) == ("50 %", "—", "3 min")
    next(t for t in shown.text_input if "Matchers" in t.label).input('a="b"').run()
    assert "Matches 3 now." in words(shown)
    shown.button(key="silence-new").click().run()
    assert client.posted == ["/api/v1/silences"]


def test_a_card_silences_exactly_its_alert(client: Client) -> None:
    shown = page("alerts").run()
    shown.button(key="silence-card-abcd1234-1-1h").click().run()
    assert client.posted == ["/api/v1/silences"]
    assert client.bodies[0]["matchers"] == ['rule="RedisDown"', 'dependency="redis"']
    assert client.bodies[0]["duration"] == "1h"


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
    published, live = [t for t in tables(shown) if t and "Noise" in t[0]]
    assert (published[0]["Week"], published[0]["MTTA"], published[0]["MTBF"]) == (
        "2026-11-16", "3 min", "—",
    )  # fmt: skip
    assert live[0]["Week"] == "2026-11-23"
    assert "Published 4 min ago" in words(shown)


@pytest.mark.parametrize(
    "changes", [{"severity": "warning"}, {"state": "acknowledged"}, {"muted_by": ["silence:1"]}]
)
def test_what_is_acknowledged_muted_or_less_than_critical_is_no_banner(
    changes: dict[str, Any],
) -> None:
    assert alert_cards.is_waiting(alert()) and not alert_cards.is_waiting(alert(**changes))


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


def test_alerts_of_one_rule_are_one_card_and_consequences_stand_below_their_cause(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    cause = {"id": "abcd1234-1", "summary": "Redis is down", "resolved_at": None}
    over_ = {"id": "gone-1", "summary": "neo4j is down", "resolved_at": "2026-11-29T13:07:00+00:00"}
    shown_alerts(
        monkeypatch,
        alert(),
        alert(id="again-1", labels=[["dependency", "neo4j"]]),
        *(alert(id=f"low{n}-1", muted_by=["inhibited:abcd1234"], cause=cause) for n in range(3)),
        alert(id="late-1", muted_by=["recovering:gone"], cause=over_),
    )
    shown = page("alerts").run()
    assert not shown.exception
    assert [b.key for b in shown.button if "ack-card" in (b.key or "")] == ["ack-card-abcd1234-1"]
    titles = [e.label.replace("\\", "") for e in shown.expander]
    assert titles == [
        "1 more of this rule",
        "3 consequences of this, muted and recorded",
        "1 consequence of “neo4j is down”, over since 13:07 UTC: muted while they end",
        "1 rule could not judge every series",
    ]
    shown.button(key="ack-card-abcd1234-1").click().run()
    assert [p.split("/")[4] for p in client.posted] == ["abcd1234-1", "again-1"]


def test_a_digest_lists_its_errors_as_links(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = [{**GROUP, "error": f"KeyError {n}: <b>*x*", "key": f"g1:{n}"} for n in range(7)]
    shown_alerts(monkeypatch, alert(severity="warning", groups=groups))
    shown = page("alerts").run()
    assert not shown.exception
    ways = links(shown)
    listed = [words_ for words_ in ways if words_.startswith("KeyError")]
    assert len(listed) == 5 and "group=g1%3A0" in ways["KeyError 0: <b>*x*"]
    assert "app.store load · 3 in the last hour" in words(shown)
    assert ways["and 2 more error groups"].startswith("/errors?")


def test_an_alert_about_one_error_group_leads_to_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown_alerts(monkeypatch, alert(rule="ErrorGroupNew", groups=[GROUP]))
    way = links(page("alerts").run())["Open the error group"]
    assert way.startswith("/errors?") and "group=g1%3Aab" in way


def test_a_failure_links_the_group_of_its_exception() -> None:
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


def test_the_page_of_an_alert_tells_its_life_with_its_messages(client: Client) -> None:
    shown = page("alerts")
    shown.query_params["alert"] = "abcd1234-1"
    shown.run()
    assert not shown.exception and title(shown) == "Alerts"
    (life,) = [t for t in tables(shown) if t and "What happened" in t[0]]
    assert [(row["What happened"], row["How it went"]) for row in life] == [
        ("Began to fire", "—"), ("Told", "waiting, 2 attempts: HTTP 500"),
    ]  # fmt: skip
    assert links(shown)["All alerts"] == "/alerts"
    shown.button(key="resolve-page-abcd1234-1").click().run()
    assert client.posted == ["/api/v1/alerts/abcd1234-1/resolve"]


def test_an_alert_that_is_over_is_shown_from_to_and_without_buttons(client: Client) -> None:
    client.details["abcd1234-1"] = {**over(), "next": None, "curve": None}
    shown = page("alerts")
    shown.query_params["alert"] = "abcd1234-1"
    shown.run()
    told = words(shown)
    assert f"resolved from {BEGUN:%H:%M} to {NOW:%H:%M}" in told
    assert "Its curve has left the live window." in told
    assert not [b for b in shown.button if "-page-" in (b.key or "")]


def test_an_alert_that_nobody_knows_says_how_to_find_those_that_there_are(client: Client) -> None:
    shown = page("alerts")
    shown.query_params["alert"] = "none-1"
    shown.run()
    assert not shown.exception and "no alert has the id" in words(shown)


def test_without_an_alert_the_page_says_what_would_fill_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown_alerts(monkeypatch)
    assert "as soon as the condition of a rule holds" in words(page("alerts").run())


def test_a_policy_that_was_not_taken_is_said_above_the_alerts(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown_alerts(monkeypatch, alert(), problem="alerting.yaml: line 3 is no YAML")
    assert "line 3 is no YAML" in words(page("alerts").run())


def test_without_what_is_told_of_one_alert_its_card_still_says_what_is_wrong(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown_alerts(monkeypatch, alert(id="lost-1"))
    shown = page("alerts").run()
    assert not shown.exception
    assert "Nobody was told yet." in words(shown) and "Redis is *down*" in links(shown)


def test_whoever_only_looks_gets_no_buttons_and_a_designer_no_page(client: Client) -> None:
    shown = page("alerts", Role.DEVELOPER).run()
    assert not shown.exception and "operators acknowledge" in words(shown)
    acting = ("ack-", "resolve-", "silence-", "end-", "test-")
    assert not [b.key for b in shown.button if (b.key or "").startswith(acting)]
    refused = page("alerts", Role.DESIGNER).run()
    assert not title(refused) and refused.warning


def test_a_curve_that_says_nothing_is_not_drawn() -> None:
    flat = [[at, 0.0] for at, _ in curve()["points"]]
    assert alert_curve.says_something(curve())
    assert alert_curve.says_something(curve(points=flat))
    assert not alert_curve.says_something(curve(points=flat, threshold=None))
    assert not alert_curve.says_something(
        curve(points=flat[:1])
    ) and not alert_curve.says_something(None)


@pytest.mark.parametrize(
    ("changes", "page_", "has"),
    [
        ({"rule": "ModelFailureRate", "labels": [["model", "large"]]}, "ai_models", "model=large"),
        (
            {"rule": "HighErrorRate", "labels": [["component", "api"]]},
            "performance",
            "component=api",
        ),
        (
            {"rule": "ContentDeliveryError", "labels": [["component", "api"], ["route", "/a"]]},
            "performance",
            "route=%2Fa",
        ),
        ({"rule": "TooManySeries", "labels": []}, "overview", "range="),
    ],
)
def test_an_alert_leads_to_the_view_that_explains_it_at_its_time(
    changes: dict[str, Any], page_: str, has: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        explain, "_PAGES", {"ai_models", "performance", "overview", "logs", "errors"}
    )
    way = explain.explains(alert(**changes), [], SHOWN, NOW)
    assert way.address.startswith(f"/{page_}?") and has in way.address
    assert "range=15%20min" in way.address and f"at={iso(BEGUN)[:10]}" in way.address
    ended = explain.explains({**over(), **changes, "state": "resolved"}, [], SHOWN, NOW)
    assert "from=" in ended.address and "to=" in ended.address


def test_a_step_that_speaks_of_a_deployment_compares_with_the_time_before() -> None:
    about = alert(labels=[["component", "api"]])
    way = explain.step("Roll back the last deployment.", about, [], SHOWN, NOW)
    assert way.address.startswith("/performance?") and "compare=previous" in way.address
