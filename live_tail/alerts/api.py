"""Alerts over HTTP: reading, acknowledging, silencing, and Alertmanager's own API v2.

Here: routes around the manager. Not here: what they do (`manager`). Changes need a JSON content
type, so that no page of another site can make them. Texts from outside pass the gate here.
"""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from live_tail.alerts.escalate import next_step
from live_tail.alerts.life import UnknownAlert
from live_tail.alerts.manager import Manager
from live_tail.alerts.matchers import BadMatcher
from live_tail.alerts.model import labels_of
from live_tail.alerts.policy import duration
from live_tail.alerts.records import Alert, Silence, to_record
from live_tail.alerts.resolution import weekly
from live_tail.alerts.templates import alertmanager_alert
from live_tail.alerts.times import next_handover, on_call
from privacy.treatments import keep, scrub

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
_MAX_ALERTS, _MAX_EPISODES = 5_000, 20_000
_Handler = Callable[[Request], Awaitable[Response]]


def routes(manager: Manager) -> list[Route]:
    """The routes of the alerts API."""
    read, write = _reads(manager), _writes(manager)
    return [
        Route("/api/v1/alerts", read["alerts"]),
        Route("/api/v1/alerts/history", read["history"]),
        Route("/api/v1/alerts/resolution", read["resolution"]),
        Route("/api/v1/alerts/preview", read["preview"]),
        Route("/api/v1/alerts/{id}", read["alert"]),
        Route("/api/v1/alerts/{id}/acknowledge", write["acknowledge"], methods=["POST"]),
        Route("/api/v1/alerts/{id}/resolve", write["resolve"], methods=["POST"]),
        Route("/api/v1/silences", write["silence"], methods=["POST"]),
        Route("/api/v1/silences/{id}/end", write["unsilence"], methods=["POST"]),
        Route("/api/v1/channels/{name}/test", write["test"], methods=["POST"]),
        Route("/api/v1/deliveries", read["deliveries"]),
        Route("/api/v2/alerts", write["receive"], methods=["POST"]),
        Route("/api/v2/alerts", read["v2"], methods=["GET"]),
    ]


def _reads(manager: Manager) -> dict[str, _Handler]:
    def alerts(request: Request) -> Any:
        found = manager.alerts(request.query_params.getlist("matcher"))
        now = datetime.now(UTC)
        return {
            "alerts": [_shown(manager, a) for a in found],
            "silences": [to_record(s) for s in manager.silences()],
            "channels": manager.channels(),
            "on_call": [
                {
                    "schedule": s.name,
                    "member": on_call(s, now),
                    "next_handover_at": next_handover(s, now).isoformat(),
                }
                for s in manager.policy.schedules
            ],
            "problem": manager.problem(),
        }

    def alert(request: Request) -> Any:
        found = manager.find(request.path_params["id"])
        return {**_shown(manager, found), "events": manager.events(found)}

    def history(request: Request) -> Any:
        limit = _limit(request)
        return {"alerts": [_shown(manager, a) for a in manager.history(limit)]}

    def resolution(_: Request) -> Any:
        return {"weeks": weekly(manager.history(_MAX_EPISODES))}

    def preview(request: Request) -> Any:
        found = manager.preview(request.query_params.getlist("matcher"))
        return {"count": len(found), "alerts": [_shown(manager, a) for a in found[:50]]}

    def deliveries(request: Request) -> Any:
        return {"deliveries": manager.deliveries(_limit(request))}

    def v2(request: Request) -> Any:
        found = manager.alerts(request.query_params.getlist("filter"))
        return [_v2(a) for a in found if a.is_active]

    handlers = {
        "alerts": alerts, "alert": alert, "history": history, "preview": preview, "resolution": resolution,
        "deliveries": deliveries, "v2": v2,
    }  # fmt: skip
    return {name: _reading(handler) for name, handler in handlers.items()}


def _writes(manager: Manager) -> dict[str, _Handler]:
    def acknowledge(request: Request, body: Any) -> Any:
        note = _text(body, "note")
        return to_record(manager.acknowledge(request.path_params["id"], _by(body), note))

    def resolve(request: Request, body: Any) -> Any:
        return to_record(manager.resolve(request.path_params["id"], _by(body)))

    def silence(_: Request, body: Any) -> Any:
        matchers = body.get("matchers")
        if not isinstance(matchers, list) or not all(isinstance(m, str) for m in matchers):
            raise ValueError('matchers must be a list of texts such as component="api"')
        ends_at = datetime.now(UTC) + duration(_text(body, "duration") or "1h")
        made = manager.silence(matchers, ends_at, _by(body), _text(body, "comment"))
        return {**to_record(made), "matches_now": len(manager.preview(made.matchers))}

    def unsilence(request: Request, _: Any) -> Any:
        ended: Silence = manager.unsilence(request.path_params["id"])
        return to_record(ended)

    def test(request: Request, _: Any) -> Any:
        return {"key": manager.test_channel(request.path_params["name"])}

    def receive(_: Request, body: Any) -> Any:
        if not isinstance(body, list) or len(body) > _MAX_ALERTS:
            raise ValueError(f"the body must be a list of at most {_MAX_ALERTS} alerts")
        read = [_external(entry) for entry in body]
        for alert in read:
            manager.receive(alert.pop("labels"), **alert)
        return {}

    handlers = {
        "acknowledge": acknowledge, "resolve": resolve, "silence": silence,
        "unsilence": unsilence, "test": test, "receive": receive,
    }  # fmt: skip
    return {name: _writing(handler) for name, handler in handlers.items()}


def _reading(handler: Callable[[Request], Any]) -> _Handler:
    async def answer(request: Request) -> Response:
        return await _answered(handler, request)

    return answer


def _writing(handler: Callable[[Request, Any], Any]) -> _Handler:
    async def answer(request: Request) -> Response:
        if request.headers.get("content-type", "").split(";")[0] != "application/json":
            return _error(415, "send Content-Type: application/json")
        try:
            body = await request.json() if await request.body() else {}
        except ValueError:
            return _error(400, "the body is not JSON")
        if not isinstance(body, dict | list):
            return _error(400, "the body must be a JSON object")
        return await _answered(lambda r: handler(r, body), request)

    return answer


async def _answered(handler: Callable[[Request], Any], request: Request) -> Response:
    try:
        return JSONResponse(await run_in_threadpool(handler, request))
    except UnknownAlert as problem:
        return _error(404, str(problem))
    except KeyError:
        return _error(404, "there is nothing of this name or id")
    except (BadMatcher, ValueError, AttributeError) as problem:
        is_ours = not isinstance(problem, AttributeError)
        return _error(400, str(problem) if is_ours else "the body must be a JSON object")


def _shown(manager: Manager, alert: Alert) -> dict[str, Any]:
    step = next_step(alert, manager.policy)
    after = {"at": step[0].isoformat(), "notify": list(step[1])} if step else None
    return {**to_record(alert), "id": alert.id, "next": after}


def _v2(alert: Alert) -> dict[str, Any]:
    silences = [m.partition(":")[2] for m in alert.muted_by if m.startswith("silence:")]
    others = [m.partition(":")[2] for m in alert.muted_by if m.startswith("inhibited:")]
    status = {
        "state": "suppressed" if alert.muted_by else "active",
        "silencedBy": silences,
        "inhibitedBy": others,
    }
    return {**alertmanager_alert(alert, ""), "status": status}


def _external(entry: Any) -> dict[str, Any]:
    """One alert of `POST /api/v2/alerts`, gated; raises ValueError."""
    if not isinstance(entry, dict) or not isinstance(entry.get("labels"), dict):
        raise ValueError("every alert needs labels, an object of texts")
    labels = {n: v for n, v in entry["labels"].items() if isinstance(v, str) and _NAME.match(n)}
    if not labels.get("alertname"):
        raise ValueError("every alert needs the label alertname")
    notes = entry.get("annotations") or {}
    notes = {n: v for n, v in notes.items() if isinstance(v, str)}
    return {
        "labels": labels_of({n: keep(v) for n, v in labels.items()}),
        "starts_at": _moment(entry.get("startsAt")) or datetime.now(UTC),
        "ends_at": _moment(entry.get("endsAt")),
        "summary": scrub(notes.get("summary", "") or notes.get("message", "")),
        "effect": scrub(notes.get("description", "")),
    }


def _moment(text: Any) -> datetime | None:
    if not text or str(text).startswith("0001-"):
        return None
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise ValueError("startsAt and endsAt must be RFC 3339 times") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _by(body: Any) -> str:
    return _text(body, "by") or "operator"


def _text(body: Any, name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a text")
    return value


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", "100")
    if not text.isdigit() or not 1 <= int(text) <= 1_000:
        raise ValueError("limit must be a whole number from 1 to 1000")
    return int(text)


def _error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": message}, status)
