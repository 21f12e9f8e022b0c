"""What amtool, Grafana and Prometheus ask of an Alertmanager."""

import json
import shutil
import subprocess
import threading
from datetime import UTC, datetime, timedelta

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ingestion.settings import Settings
from live_tail.alerts.desk.manager import Manager
from live_tail.alerts.http.alerts_api import routes
from live_tail.alerts.life.alert_store import Store
from live_tail.alerts.notify.notify_policy import WatchedPolicy
from privacy.keys.key_store import KeyStore
from tests.live_tail.alerts.support import reading, round_at, rule, wait_for


@pytest.fixture
def api(settings: Settings, keys: KeyStore) -> TestClient:
    manager = Manager(Store(settings.home, keys), WatchedPolicy(settings.home))
    found = (reading(component="api"), reading(component="story"))
    manager.take(round_at(datetime.now(UTC), *found), {"Broken": rule()})
    return TestClient(Starlette(routes=routes(manager)))


def silence(**changes: object) -> dict[str, object]:
    """As `amtool silence add component=api` sends it."""
    now = datetime.now(UTC)
    return {
        "matchers": [{"name": "component", "value": "api", "isRegex": False, "isEqual": True}],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "anna",
        "comment": "upgrade",
        **changes,
    }


def states(api: TestClient, **asked: str) -> dict[str, str]:
    found = api.get("/api/v2/alerts", params=asked).json()
    return {a["labels"]["component"]: a["status"]["state"] for a in found}


def test_a_silence_is_added_shown_and_expired(api: TestClient) -> None:
    made = api.post("/api/v2/silences", json=silence()).json()["silenceID"]
    (shown,) = api.get("/api/v2/silences").json()
    assert shown == api.get(f"/api/v2/silence/{made}").json()
    assert shown["matchers"] == silence()["matchers"]
    assert (shown["status"]["state"], shown["createdBy"]) == ("active", "anna")
    assert states(api) == {"api": "suppressed", "story": "active"}
    (muted,) = [a for a in api.get("/api/v2/alerts").json() if a["labels"]["component"] == "api"]
    assert muted["status"]["silencedBy"] == [made]
    assert api.delete(f"/api/v2/silence/{made}").status_code == 200
    (ended,) = api.get("/api/v2/silences").json()
    assert (ended["id"], ended["status"]["state"]) == (made, "expired")
    assert api.get(f"/api/v2/silence/{made}").json() == ended
    assert states(api)["api"] == "active"
    assert api.delete(f"/api/v2/silence/{made}").status_code == 404


@pytest.mark.skipif(not shutil.which("amtool"), reason="amtool is not installed")
def test_amtool_adds_finds_and_expires_silences_and_adds_alerts(
    api: TestClient, free_port: int
) -> None:
    server = uvicorn.Server(uvicorn.Config(api.app, port=free_port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert wait_for(lambda: server.started)

    def amtool(*words: str) -> str:
        url = f"--alertmanager.url=http://127.0.0.1:{free_port}"
        done = subprocess.run(
            ["amtool", url, *words], capture_output=True, text=True, check=False, timeout=20
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    try:
        made = amtool("silence", "add", "component=api", "--comment=upgrade", "--author=anna")
        assert amtool("silence", "query", "-q") == made
        assert json.loads(amtool("alert", "query", "--silenced", "-o", "json"))
        amtool("silence", "expire", made)
        assert amtool("silence", "query", "-q") == ""
        assert made in amtool("silence", "query", "--expired", "--within=1h")
        amtool("alert", "add", "alertname=Ext", "severity=critical", "component=db")
        assert (
            json.loads(amtool("alert", "query", "Ext", "-o", "json"))[0]["labels"]["component"]
            == "db"
        )
    finally:
        server.should_exit = True
        thread.join(5)


def test_a_silence_that_begins_later_mutes_nothing_yet(api: TestClient) -> None:
    later = (datetime.now(UTC) + timedelta(minutes=30)).isoformat()
    api.post("/api/v2/silences", json=silence(startsAt=later))
    assert api.get("/api/v2/silences").json()[0]["status"]["state"] == "pending"
    assert states(api)["api"] == "active"


def test_a_silence_with_an_id_takes_the_place_of_the_one_before(api: TestClient) -> None:
    first = api.post("/api/v2/silences", json=silence()).json()["silenceID"]
    other = [{"name": "component", "value": "st.*", "isRegex": True}]
    second = api.post("/api/v2/silences", json=silence(id=first, matchers=other)).json()[
        "silenceID"
    ]
    shown = {s["id"]: s["status"]["state"] for s in api.get("/api/v2/silences").json()}
    assert shown == {first: "expired", second: "active"}
    assert states(api) == {"api": "active", "story": "suppressed"}
    assert api.post("/api/v2/silences", json=silence(id="gone")).status_code == 404


@pytest.mark.parametrize(
    ("value", "is_regex", "is_equal"),
    [("api", False, True), ('a"b\\c', False, True), ("a.+", True, False), ("a.b", False, False)],
)
def test_every_matcher_comes_back_as_it_was_given(
    api: TestClient, value: str, is_regex: bool, is_equal: bool
) -> None:
    given = [
        {"name": "component", "value": value, "isRegex": is_regex, "isEqual": is_equal},
        {"name": "alertname", "value": "Broken", "isRegex": False, "isEqual": True},
    ]
    made = api.post("/api/v2/silences", json=silence(matchers=given)).json()
    assert api.get(f"/api/v2/silence/{made['silenceID']}").json()["matchers"] == given


def test_silences_are_found_by_their_matchers(api: TestClient) -> None:
    api.post("/api/v2/silences", json=silence())
    for text, count in (('component="api"', 1), ('component="story"', 0)):
        assert len(api.get("/api/v2/silences", params={"filter": text}).json()) == count


def test_alerts_are_filtered_by_state_matcher_and_receiver(api: TestClient) -> None:
    api.post("/api/v2/silences", json=silence())
    assert states(api, silenced="false") == {"story": "active"}
    assert states(api, active="false") == {"api": "suppressed"}
    assert states(api, filter='component!="api"') == {"story": "active"}
    assert states(api, receiver="nobody") == {}
    assert set(states(api, receiver="crit.*")) == {"api", "story"}
    found = api.get("/api/v2/alerts").json()[0]
    assert {"fingerprint", "startsAt", "updatedAt", "annotations", "receivers"} <= set(found)
    assert datetime.fromisoformat(found["endsAt"]) > datetime.now(UTC)
    assert found["generatorURL"].startswith("http://127.0.0.1:8501/alerts?alert=")


def test_receivers_and_status_are_told(api: TestClient) -> None:
    assert {"name": "critical"} in api.get("/api/v2/receivers").json()
    assert api.get("/api/v2/status").json()["cluster"]["status"] == "disabled"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "needs matchers"),
        (silence(matchers=[{"name": "component"}]), "name, value and isRegex"),
        (silence(matchers=[{"name": "", "value": "x"}]), "name, value and isRegex"),
        (silence(matchers=[{"name": "a\n", "value": "x"}]), "name, value and isRegex"),
        (silence(matchers=[{"name": "team", "value": ""}]), "empty text"),
        (silence(matchers=[{"name": "alertname", "value": ".*", "isRegex": True}]), "empty text"),
        (silence(matchers=[{"name": "alertname", "value": "x|", "isRegex": True}]), "empty text"),
        (silence(matchers=[{"name": "a", "value": "x", "isEqual": False}]), "empty text"),
        (silence(matchers=[{"name": "a", "value": "x.+", "isRegex": True, "isEqual": False}]), "empty text"),
        (silence(matchers=[{"name": "a", "value": r"anna@example\.org", "isRegex": True}]), "privacy gate"),
        (silence(matchers=[{"name": "a", "value": "(b|anna@example.org)", "isRegex": True}]), "privacy gate"),
        (silence(endsAt=None), "needs endsAt"),
        (silence(endsAt="tomorrow"), "RFC 3339"),
        (silence(comment=5), "must be texts"),
        (silence(matchers=[]), "at least one matcher"),
        (silence(matchers=[{"name": "a", "value": "(", "isRegex": True}]), "regular expression"),
        (silence(matchers=[{"name": "a", "value": "anna@example.org"}]), "privacy gate"),
    ],
)  # fmt: skip
def test_a_wrong_silence_is_refused_with_the_reason(
    api: TestClient, body: dict[str, object], words: str
) -> None:
    answer = api.post("/api/v2/silences", json=body)
    assert answer.status_code == 400 and words in answer.json()["error"]
    assert api.get("/api/v2/silences").json() == []


def test_a_wrong_receiver_pattern_is_said(api: TestClient) -> None:
    assert "regular" in api.get("/api/v2/alerts", params={"receiver": "("}).json()["error"]


def test_one_matcher_that_chooses_is_enough(api: TestClient) -> None:
    both = [{"name": "component", "value": "api"}, {"name": "team", "value": ""}]
    assert api.post("/api/v2/silences", json=silence(matchers=both)).status_code == 200
    assert states(api) == {"api": "suppressed", "story": "active"}


def outside(api: TestClient, *labels: dict[str, str], ends: bool = False) -> list[dict[str, str]]:
    more = {"endsAt": datetime.now(UTC).isoformat()} if ends else {}
    sent = [{"labels": {"alertname": "Out", **one}, **more} for one in labels]
    assert api.post("/api/v2/alerts", json=sent).status_code == 200
    found = api.get("/api/v2/alerts", params={"filter": "alertname=Out"}).json()
    return [a["labels"] for a in found]


@pytest.mark.parametrize(
    ("label", "values", "is_kept"),
    [
        ("instance", ("10.0.0.1:9100", "10.0.0.2:9100"), True),
        ("instance", ("[fd00::1]:80", "[fd00::2]:80"), True),
        ("http.route", ("/a", "/b"), True),
        ("mount point", ("/var", "/srv"), True),
        ("owner", ("anna@example.org", "ben@example.org"), False),
        ("instance", ("203.0.113.7:80", "203.0.113.8:80"), False),
        ("phone", ("07700900461", "07700900462"), False),
    ],
)
def test_alerts_from_outside_that_differ_stay_apart_and_end_alone(
    api: TestClient, label: str, values: tuple[str, str], is_kept: bool
) -> None:
    first, second = ({label: value} for value in values)
    found = outside(api, first, second, first)
    assert len(found) == 2
    shown = str(found)
    assert all((value in shown) == is_kept for value in values)
    assert len(outside(api, first, ends=True)) == 1


def test_names_of_labels_that_may_not_stay_are_apart_too(api: TestClient) -> None:
    found = outside(api, {"anna@example.org": "x"}, {"ben@example.org": "x"})
    assert len(found) == 2
    assert "example" not in str(found)


@pytest.mark.parametrize("labels", [{"a": 5}, {"": "x"}, {"a\n": "x"}, {"a": None}])
def test_a_label_that_is_none_is_refused_and_not_left_out(api: TestClient, labels: dict) -> None:
    answer = api.post("/api/v2/alerts", json=[{"labels": {"alertname": "Out", **labels}}])
    assert (answer.status_code, "name and a text" in answer.json()["error"]) == (400, True)


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("instance", "127.0.0.1:9100"),
        ("http.route", "/a"),
        ("a b", "x"),
        ("owner", "anna@example.org"),
    ],
)
def test_what_an_alert_shows_can_be_silenced(api: TestClient, label: str, value: str) -> None:
    (labels,) = outside(api, {label: value})
    shown = {n: v for n, v in labels.items() if n not in {"alertname", "severity"}}
    matchers = [
        {"name": n, "value": v, "isRegex": False, "isEqual": True} for n, v in shown.items()
    ]
    made = api.post("/api/v2/silences", json=silence(matchers=matchers))
    assert made.status_code == 200, made.text
    assert api.get(f"/api/v2/silence/{made.json()['silenceID']}").json()["matchers"] == matchers
    (alert,) = api.get("/api/v2/alerts", params={"filter": "alertname=Out"}).json()
    assert alert["status"]["state"] == "suppressed"


@pytest.mark.parametrize(
    "pattern", [r"127\.0\.0\.1:.*", "10.0.0.(1|2):9100", "/api/.+", "(db|api)-[0-9]+"]
)
def test_expressions_over_values_that_may_stay_are_taken(api: TestClient, pattern: str) -> None:
    given = [{"name": "instance", "value": pattern, "isRegex": True}]
    assert api.post("/api/v2/silences", json=silence(matchers=given)).status_code == 200
