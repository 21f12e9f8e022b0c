"""The live API's door: every role at every query, strangers, expired and revoked tokens."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ingestion.service_token import service_token
from ingestion.settings import Settings, SettingsProblem, load_settings
from live_tail.access import Door
from live_tail.queries import QUERIES
from privacy.access import Right, Role, load_policy
from privacy.accounts import Accounts
from privacy.audit import AuditLog
from privacy.keys import KeyStore

ROUTES = ["/livez", "/metrics", "/api/v1/queries", "/api/v1/query/{name}", "/api/v1/silences"]


class Api:
    """The door before routes that answer anybody."""

    def __init__(self, settings: Settings, keys: KeyStore, *, is_open: bool = False) -> None:
        self.log = AuditLog(settings.home, keys)
        self.accounts = Accounts(settings.home, keys, self.log)
        self.now = 0.0
        inner = Starlette(
            routes=[
                Route(path, lambda _: PlainTextResponse("fact"), methods=["GET", "POST"])
                for path in ROUTES
            ]
        )
        door = Door(inner, keys, self.log, self.accounts, is_open=is_open, clock=lambda: self.now)
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
    _, token = api.accounts.create_token(role, days=1, by="os:owner")
    policy = load_policy()
    for name in [*QUERIES, "freshness"]:
        is_allowed = policy.allows(frozenset({role}), Right.QUERY, name)
        before = api.log.head().seq
        assert api.status(f"/api/v1/query/{name}", token) == (200 if is_allowed else 403)
        refused = api.log.entries(outcome="refused", limit=1)
        assert is_allowed or (refused[0].seq == before + 1 and refused[0].target == name)
    may_silence = policy.allows(frozenset({role}), Right.ACTION, "silences.change")
    assert api.status("/api/v1/silences", token, "POST") == (200 if may_silence else 403)


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
