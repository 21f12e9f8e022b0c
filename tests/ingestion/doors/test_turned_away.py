"""Foreign hosts and origins are counted one by one, and told in the audit log once a minute and reason."""

import asyncio

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from ingestion.doors.known_hosts import KnownHosts
from ingestion.doors.turned_away import ACTION, TurnedAway
from privacy.audit.audit_log import AuditLog


@pytest.fixture
def log(home, keys) -> AuditLog:
    return AuditLog(home, keys)


def _ask(away: TurnedAway, **headers: str) -> int:
    async def app(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    door = KnownHosts(app, (), setting="receiver.hosts", note=away.note)

    async def asked() -> int:
        transport = httpx.ASGITransport(door)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:1") as c:
            return (await c.get("/", headers=headers)).status_code

    return asyncio.run(asked())


def test_each_is_counted_and_a_flood_leaves_one_entry_a_minute_with_its_number(
    log: AuditLog,
) -> None:
    now = [0.0]
    away = TurnedAway("receiver", log, clock=lambda: now[0])
    assert [_ask(away, Host="evil.example") for _ in range(5)] == [421] * 5
    assert _ask(away, Origin="http://evil.example") == 403
    assert _ask(away) == 200
    now[0] = 61.0
    assert _ask(away, Host="evil.example") == 421
    told = [(e.target, e.outcome, e.details["why"], e.details["calls"]) for e in log.entries()]
    assert told == [
        ("receiver", "refused", "foreign_host", 5),
        ("receiver", "refused", "foreign_origin", 1),
        ("receiver", "refused", "foreign_host", 1),
    ]
    assert {e.action for e in log.entries()} == {ACTION}
    assert away.counts == {"foreign_host": 6, "foreign_origin": 1}


def test_the_numbers_are_a_family_of_the_exposition(log: AuditLog) -> None:
    away = TurnedAway("live", log)
    away.note("foreign_host")

    class Told(Collector):
        def collect(self):
            return [away.family()]

    registry = CollectorRegistry()
    registry.register(Told())
    text = generate_latest(registry).decode()
    assert 'tta_monitor_turned_away_requests_total{door="live",reason="foreign_host"} 1.0' in text
    assert 'tta_monitor_turned_away_requests_total{door="live",reason="foreign_origin"} 0.0' in text
