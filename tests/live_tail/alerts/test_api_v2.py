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
from live_tail.alerts.api import routes
from live_tail.alerts.manager import Manager
from live_tail.alerts.notifier import WatchedPolicy
from live_tail.alerts.store import Store
from privacy.keys import KeyStore
from tests.live_tail.alerts.support import reading, round_at, rule, wait_for


@pytest.fixture
def api(settings: Settings, keys: KeyStore) -> TestClient:
    manager = Manager(Store(settings.home, keys), WatchedPolicy(settings))
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
    given = [{"name": "component", "value": value, "isRegex": is_regex, "isEqual": is_equal}]
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
        (silence(matchers=[{"name": "a b", "value": "x"}]), "name, value and isRegex"),
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
