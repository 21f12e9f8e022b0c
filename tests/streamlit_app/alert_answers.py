"""Alerts as the live API tells them, for tests of pages: no socket, no live tail."""

from datetime import UTC, datetime, timedelta
from typing import Any

from streamlit_app.readings import source

NOW = datetime.now(UTC)
BEGUN = NOW - timedelta(minutes=3)


def alert(**changes: Any) -> dict[str, Any]:
    return {
        "id": "abcd1234-1", "rule": "RedisDown", "summary": "Redis is *down*", "state": "firing",
        "severity": "critical", "effect": "Sessions cannot be saved.", "muted_by": [],
        "labels": [["dependency", "redis"]], "runbook": ["Restart Redis", "Look at the logs of redis"],
        "runbook_url": "", "value": 1.0, "note": "", "acknowledged_by": "", "source": "rule",
        "fired_at": BEGUN.isoformat(), "started_at": BEGUN.isoformat(), "resolved_at": None, "reason": "",
        "next": {"at": (NOW + timedelta(minutes=2)).isoformat(), "notify": ["on-call:first"]},
        **changes,
    }  # fmt: skip


def over(**changes: Any) -> dict[str, Any]:
    return alert(
        state="resolved", resolved_at=NOW.isoformat(), reason="the condition ended", **changes
    )


def curve(**changes: Any) -> dict[str, Any]:
    points = [[(BEGUN + timedelta(seconds=10 * n)).isoformat(), float(n)] for n in range(12)]
    return {
        "what": "p95 of requests in 2 min", "unit": "ms", "step_s": 10, "symbol": ">", "threshold": 2_000.0,
        "points": points, **changes,
    }  # fmt: skip


def microseconds(at: datetime) -> int:
    return int(at.timestamp() * 1e6)


class Client:
    """The live tail's client: what was posted, and answers by path."""

    def __init__(self) -> None:
        self.posted: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.details: dict[str, dict[str, Any]] = {}

    def get(self, path: str, **_: Any) -> dict[str, Any]:
        name = path.rpartition("/")[2]
        if path.startswith("/api/v1/alerts/") and name not in {"history", "resolution", "preview"}:
            return self._one(name)
        week = {
            "week": "2026-11-23", "rule": "RedisDown", "component": "", "severity": "critical",
            "fired": 2, "acted_on": 1, "noise_pct": 50.0, "reopened": 0, "mtta_s": None,
            "mttr_s": 200.0, "mtbf_s": None,
        }  # fmt: skip
        log = {"created_us": 1, "channel": "hook", "state": "delivered", "attempts": 1, "error": ""}
        return {"count": 3, "alerts": [over()], "weeks": [week], "deliveries": [log]}

    def _one(self, name: str) -> dict[str, Any]:
        if name not in self.details and name != "abcd1234-1":
            raise ValueError(f"no alert has the id {name!r}: see `./tta.sh monitor alerts list`.")
        began = {"at_us": microseconds(BEGUN), "kind": "fired", "by": ""}
        told = {
            "channel": "hook", "state": "waiting", "attempts": 2, "error": "HTTP 500",
            "created_us": microseconds(BEGUN),
        }  # fmt: skip
        known = {**alert(), "events": [began], "told": [told], "curve": curve()}
        return {**known, **self.details.get(name, {})}

    def post(self, path: str, *, acting_for: str = "", **body: Any) -> dict[str, Any]:
        self.posted.append(path)
        self.bodies.append(body)
        return {}

    def query(self, *_: Any, **__: Any) -> Any:
        raise source.LiveUnavailable("run `./tta.sh monitor up`.")


def standing(*alerts: dict[str, Any]) -> dict[str, Any]:
    """What `/api/v1/alerts` says."""
    silence = {
        "id": "5f0c", "matchers": ['a="b"'], "ends_at": NOW.isoformat(), "created_by": "anna",
        "comment": "deployment",
    }  # fmt: skip
    channel = {"name": "hook", "type": "webhook", "failures": 2, "error": "HTTP 500"}
    return {
        "alerts": list(alerts), "silences": [silence], "channels": [channel], "problem": "",
        "unjudged": {"Odd": "not enough history: 1 of 1 series have fewer than 3 weeks"},
        "on_call": [{"schedule": "first", "member": "anna", "next_handover_at": NOW.isoformat()}],
    }  # fmt: skip
