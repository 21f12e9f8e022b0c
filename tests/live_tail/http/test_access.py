"""The live API's door: every role at every query, strangers, expired and revoked tokens."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ingestion.doors.service_token import service_token
from ingestion.settings import Settings, SettingsProblem, load_settings
from live_tail.http.access import Door, _asked, about
from live_tail.http.client import ACTING_FOR
from live_tail.http.live_api import build_app
from live_tail.window.queries.catalogue import QUERIES
from privacy.access.access_policy import Right, Role, load_policy
from privacy.access.identities import Identities
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore

ROUTES = ["/livez", "/metrics", "/api/v1/queries", "/api/v1/query/{name}", "/api/v1/silences"]


def _fact(request: Request) -> PlainTextResponse:
    return PlainTextResponse("fact", headers={"who": getattr(request.state, "who", "")})


class Api:
    """The door before routes that answer anybody."""

    def __init__(self, settings: Settings, keys: KeyStore, *, is_open: bool = False) -> None:
        self.log = AuditLog(settings.home, keys)
        self.identities = Identities(settings.home, keys, self.log)
        self.now = 0.0
        inner = Starlette(
            routes=[
                Route(path, _fact, methods=["GET", "POST", "DELETE"])
                for path in (*ROUTES, "/api/{rest:path}")
            ]
        )
        door = Door(inner, keys, self.log, self.identities, is_open=is_open, clock=lambda: self.now)
        self.client = TestClient(door)

    def status(self, path: str, token: str | None = None, method: str = "GET") -> int:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self.client.request(method, path, headers=headers)
        assert ("fact" in answer.text) == (answer.status_code == 200)
        return answer.status_code


@pytest.fixture
def api(settings: Settings, keys: KeyStore) -> Api:
    return Api(settings, keys)


@pytest.mark.parametrize("role", list(Role))
def test_each_role_reads_the_queries_of_the_policy_and_no_other(role: Role, api: Api) -> None:
    _, token = api.identities.tokens.create(role, days=1, by="os:owner")
    policy = load_policy()
    for name in [*QUERIES, "freshness"]:
        is_allowed = policy.allows(frozenset({role}), Right.QUERY, name)
        before = api.log.head().seq
        assert api.status(f"/api/v1/query/{name}", token) == (200 if is_allowed else 403)
        refused = api.log.entries(outcome="refused", limit=1)
        assert is_allowed or (refused[0].seq == before + 1 and refused[0].target == name)
    may_silence = policy.allows(frozenset({role}), Right.ACTION, "silences.change")
    assert api.status("/api/v1/silences", token, "POST") == (200 if may_silence else 403)


def _all_routes() -> list[tuple[str, str]]:
    built = build_app(*_NOBODY, manager=object())  # type: ignore[arg-type]
    return [
        (method, route.path.replace("{id}", "1f3a").replace("{name}", "summary"))
        for route in built.routes
        if route.path.startswith("/api/")
        for method in sorted(route.methods - {"HEAD"})
    ]


_NOBODY: Any = (None, None)


@pytest.mark.parametrize("role", list(Role))
def test_each_role_at_every_route_read_or_written(role: Role, api: Api) -> None:
    _, token = api.identities.tokens.create(role, days=1, by="os:owner")
    policy, routes = load_policy(), _all_routes()
    assert len(routes) > 12
    for method, path in routes:
        right, name = _asked(method, path)
        assert (right is Right.ACTION) == (method in {"POST", "DELETE"})
        is_allowed = policy.allows(frozenset({role}), right, name)
        status = api.status(path, token, method)
        assert (status == 403) == (not is_allowed), (role, method, path)
        if right is Right.ACTION:
            (entry,) = api.log.entries(limit=1)
            assert entry.actor.startswith("token:t_") and entry.target == name
            assert entry.outcome == ("done" if is_allowed else "refused")
            assert entry.details == about(path)


def test_of_a_path_only_ids_of_ours_and_verbs_are_written_down() -> None:
    assert about("/api/v1/alerts/1f3a/acknowledge") == {"id": "1f3a", "verb": "acknowledge"}
    assert about("/api/v1/alerts/eva.lindqvist/resolve") == {"verb": "resolve"}
    assert about("/api/v1/channels/evas-phone/test") == {"verb": "test"}


def test_only_this_homes_processes_act_for_an_account(api: Api, keys: KeyStore) -> None:
    _, token = api.identities.tokens.create(Role.OPERATOR, days=1, by="os:owner")
    account = {ACTING_FOR: "user:u_0123456789ab"}
    for secret, who in ((token, "token:t_"), (service_token(keys), "user:u_0123456789ab")):
        headers = {"Authorization": f"Bearer {secret}", **account}
        assert api.client.post("/api/v1/silences", headers=headers).headers["who"].startswith(who)
    for odd in ("root", "user:u_x\u00e9", "os:owner", "user:eva.lindqvist"):
        headers = {
            "Authorization": f"Bearer {service_token(keys)}",
            ACTING_FOR: odd.encode("latin-1"),
        }
        assert api.client.post("/api/v1/silences", headers=headers).headers["who"] == "os:owner"


def test_strangers_get_401_and_health_stays_open(api: Api) -> None:
    for token in (None, "", "guess"):
        assert api.status("/api/v1/query/summary", token) == 401
    assert api.status("/livez") == api.status("/metrics") == 200
    assert api.client.get("/api/v1/queries").headers["www-authenticate"] == "Bearer"


def test_a_flood_of_strangers_leaves_one_entry_a_second_with_their_number(api: Api) -> None:
    for _ in range(50):
        api.status("/api/v1/query/summary")
    assert len(api.log.entries()) == 1
    api.now = 2.0
    api.status("/api/v1/query/summary")
    assert [e.details["calls"] for e in api.log.entries()] == [50, 1]


def test_the_processes_of_the_home_pass_and_those_of_another_do_not(
    api: Api, keys: KeyStore, settings: Settings
) -> None:
    assert api.status("/api/v1/query/summary", service_token(keys)) == 200
    other = settings.home.with_name("other")
    other.mkdir()
    foreign = service_token(KeyStore.open(other, create=True))
    assert api.status("/api/v1/query/summary", foreign) == 401


def test_with_sign_in_off_everybody_reads_and_only_loopback_may_do_so(
    settings: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Api(settings, keys, is_open=True).status("/api/v1/query/summary") == 200
    monkeypatch.setenv("TTA_MONITOR_ACCESS__SIGN_IN", "off")
    assert load_settings(settings.home).access.sign_in == "off"
    monkeypatch.setenv("TTA_MONITOR_LIVE__HOST", "0.0.0.0")
    with pytest.raises(SettingsProblem, match=r"sign_in is off.*127\.0\.0\.1"):
        load_settings(settings.home)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, "done"),
        (204, "done"),
        (400, "refused"),
        (404, "refused"),
        (500, "failed"),
        (0, "failed"),
    ],
)
def test_the_entry_of_an_action_says_how_it_went_and_is_there_before_the_answer(
    api: Api, settings: Settings, keys: KeyStore, status: int, outcome: str
) -> None:
    _, token = api.identities.tokens.create(Role.OPERATOR, days=1, by="os:owner")
    seen: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if not status:
            raise RuntimeError("Eva Lindqvist")
        await send({"type": "http.response.start", "status": status, "headers": []})
        seen.append(len(api.log.entries(action="access.action")))
        await send({"type": "http.response.body", "body": b""})

    door = Door(app, keys, api.log, api.identities)
    client = TestClient(door, raise_server_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"}
    client.post("/api/v1/alerts/1f3a/acknowledge", headers=headers)
    (entry,) = api.log.entries(action="access.action")
    why = {} if outcome == "done" else {"why": str(status or 500)}
    assert (entry.outcome, entry.details) == (outcome, {"id": "1f3a", "verb": "acknowledge"} | why)
    assert seen == ([1] if status else [])
