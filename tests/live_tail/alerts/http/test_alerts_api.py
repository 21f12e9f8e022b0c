"""The alerts API: what people, the app and other Alertmanagers do with it; resolution figures."""

from datetime import UTC, datetime, timedelta

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ingestion.settings import Settings
from live_tail.alerts.desk.manager import Manager
from live_tail.alerts.http.alerts_api import routes
from live_tail.alerts.life.alert_store import Store
from live_tail.alerts.life.resolution import weekly
from live_tail.alerts.notify.notify_policy import WatchedPolicy
from live_tail.alerts.words.life_records import Alert, State
from privacy.keys.key_store import KeyStore
from tests.live_tail.alerts.support import START, reading, round_at, rule


@pytest.fixture
def manager(settings: Settings, keys: KeyStore) -> Manager:
    made = Manager(Store(settings.home, keys), WatchedPolicy(settings.home))
    rules = {"Broken": rule("Broken", summary="{{ component }} is broken", runbook=("Restart it",))}
    made.take(round_at(datetime.now(UTC), reading(component="api")), rules)
    return made


@pytest.fixture
def api(manager: Manager) -> TestClient:
    return TestClient(Starlette(routes=routes(manager)))


def first(api: TestClient) -> dict:
    return api.get("/api/v1/alerts").json()["alerts"][0]


def test_an_alert_shows_what_to_do_and_who_is_told_next(api: TestClient) -> None:
    alert = first(api)
    assert alert["summary"] == "api is broken" and alert["runbook"] == ["Restart it"]
    assert alert["next"]["notify"] == ["receiver:critical"]
    events = api.get(f"/api/v1/alerts/{alert['id']}").json()["events"]
    assert [e["kind"] for e in events] == ["fired"]


def test_acknowledging_and_resolving_is_recorded_with_the_account(api: TestClient) -> None:
    alert = first(api)
    done = api.post(f"/api/v1/alerts/{alert['id']}/acknowledge", json={"by": "anna"})
    assert done.json()["acknowledged_by"] == "anna" and first(api)["next"] is None
    api.post(f"/api/v1/alerts/{alert['id']}/resolve", json={"by": "anna"})
    assert api.get("/api/v1/alerts").json()["alerts"] == []
    (past,) = api.get("/api/v1/alerts/history").json()["alerts"]
    assert past["reason"] == "resolved by hand"
    (row,) = api.get("/api/v1/alerts/resolution").json()["weeks"]
    assert (row["fired"], row["acted_on"], row["noise_pct"]) == (1, 1, 0.0)


def test_an_id_of_an_earlier_episode_finds_the_alert_as_it_is_now(api: TestClient) -> None:
    alert = first(api)
    stem = alert["id"].rpartition("-")[0]
    assert api.get(f"/api/v1/alerts/{stem}-99").json()["id"] == alert["id"]


def test_a_silence_is_previewed_made_and_ended(api: TestClient) -> None:
    matchers = ['component="api"']
    found = api.get("/api/v1/alerts/preview", params={"matcher": matchers}).json()
    assert found["count"] == 1
    made = api.post("/api/v1/silences", json={"matchers": matchers, "duration": "2h"}).json()
    assert made["matches_now"] == 1 and first(api)["muted_by"]
    assert api.post(f"/api/v1/silences/{made['id']}/end", json={}).status_code == 200
    assert first(api)["muted_by"] == []
    assert api.post(f"/api/v1/silences/{made['id']}/end", json={}).status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/api/v1/alerts/nothing/acknowledge", {}, 404, "alerts list"),
        ("/api/v1/silences", {"matchers": ["nonsense"]}, 400, "no matcher"),
        ("/api/v1/silences", {"matchers": 'a="b"'}, 400, "list of texts"),
        ("/api/v1/silences", {"matchers": ['a="b"'], "duration": "soon"}, 400, "no duration"),
        ("/api/v1/silences", {"matchers": ['a="anna@example.org"']}, 400, "privacy gate"),
        ("/api/v1/channels/pigeon/test", {}, 404, "no channel is called 'pigeon'"),
        ("/api/v2/alerts", {}, 400, "list"),
        ("/api/v2/alerts", [{"labels": {"a": "b"}}], 400, "alertname"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    api: TestClient, path: str, body: object, status: int, words: str
) -> None:
    answer = api.post(path, json=body)
    assert answer.status_code == status and words in answer.json()["error"]


def test_a_form_of_another_site_changes_nothing(api: TestClient) -> None:
    path = f"/api/v1/alerts/{first(api)['id']}/acknowledge"
    assert api.post(path, content="{}", headers={"Content-Type": "text/plain"}).status_code == 415
    assert first(api)["state"] == "firing"


def test_an_alert_from_outside_passes_the_gate_and_comes_back_in_alertmanagers_form(
    api: TestClient, settings: Settings
) -> None:
    outside = {
        "labels": {"alertname": "DiskFull", "severity": "warning", "owner": "anna@example.org"},
        "annotations": {"summary": "Disk of anna@example.org is full, call 07700900461"},
        "startsAt": datetime.now(UTC).isoformat(),
    }
    assert api.post("/api/v2/alerts", json=[outside]).status_code == 200
    found = api.get("/api/v2/alerts", params={"filter": 'alertname="DiskFull"'}).json()
    assert found[0]["status"]["state"] == "active" and found[0]["labels"]["severity"] == "warning"
    assert "anna" not in str(found) and "07700900461" not in str(found)
    ended = {**outside, "endsAt": datetime.now(UTC).isoformat()}
    api.post("/api/v2/alerts", json=[ended])
    assert api.get("/api/v2/alerts", params={"filter": 'alertname="DiskFull"'}).json() == []
    content = b"".join(f.read_bytes() for f in settings.home.glob("state.db*"))
    assert b"DiskFull" not in content and b"anna" not in content


def test_a_channel_test_goes_into_the_delivery_log(api: TestClient) -> None:
    key = api.post("/api/v1/channels/console/test", json={}).json()["key"]
    (entry,) = [e for e in api.get("/api/v1/deliveries").json()["deliveries"] if e["key"] == key]
    assert entry["channel"] == "console" and entry["state"] == "waiting"


def episode(fired: int, **changes: object) -> Alert:
    at = START + timedelta(minutes=fired)
    given = {"state": State.RESOLVED, "fired_at": at, "episode": 1, **changes}
    return Alert("f" * 16, "Broken", (), rule().severity, started_at=at, **given)  # type: ignore[arg-type]


def test_resolution_figures_count_what_happened_and_leave_out_what_did_not() -> None:
    minute = timedelta(minutes=1)
    handled = episode(0, acknowledged_at=START + minute, resolved_at=START + 10 * minute)
    noise = episode(60, resolved_at=START + 64 * minute, is_reopened=True)
    (row,) = weekly([handled, noise])
    assert row["week"] == "2026-02-23"
    assert (row["fired"], row["acted_on"], row["reopened"]) == (2, 1, 1)
    assert (row["mtta_s"], row["mttr_s"], row["mtbf_s"]) == (60.0, 420.0, 3600.0)
    (alone,) = weekly([episode(0)])
    assert alone["mtta_s"] is None and alone["mtbf_s"] is None and alone["noise_pct"] == 100.0
    # Two series that fire in the same round are one failure: nothing was measured between them.
    (together,) = weekly([episode(0), episode(0)])
    assert (together["fired"], together["mtbf_s"]) == (2, None)
    (thrice,) = weekly([episode(0), episode(0), episode(10)])
    assert thrice["mtbf_s"] == 600.0
