"""Alerts over HTTP: reading, acknowledging, silencing.

Here: routes around the manager, answers and refusals. Not here: what they do (`manager`) and what
Alertmanager's own API looks like (`api_v2`). Changes need a JSON content type or the method DELETE,
so that no page of another site can make them.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from live_tail.alerts.desk.manager import Manager
from live_tail.alerts.http.api_v2 import V2
from live_tail.alerts.life.by_hand import Unknown
from live_tail.alerts.life.resolution import weekly
from live_tail.alerts.notify.escalate import next_step
from live_tail.alerts.notify.policy_fields import duration
from live_tail.alerts.notify.times import next_handover, on_call
from live_tail.alerts.rules.curves import Curves
from live_tail.alerts.words.life_records import Alert, Silence
from live_tail.alerts.words.matchers import BadMatcher
from live_tail.alerts.words.stored import to_record

_MAX_EPISODES = 20_000
_Handler = Callable[[Request], Awaitable[Response]]


def routes(manager: Manager, curves: Curves | None = None) -> list[Route]:
    """The routes of the alerts API; with curves an alert is told with what was measured."""
    read, write = _reads(manager, curves), _writes(manager)
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
        *_alertmanager(V2(manager)),
    ]


def _reads(manager: Manager, curves: Curves | None) -> dict[str, _Handler]:
    def alerts(request: Request) -> Any:
        found = manager.board.alerts(request.query_params.getlist("matcher"))
        now = datetime.now(UTC)
        return {
            "alerts": [_shown(manager, a) for a in found],
            "silences": [to_record(s) for s in manager.silences()],
            "channels": manager.board.channels(),
            "on_call": [
                {
                    "schedule": s.name,
                    "member": on_call(s, now),
                    "next_handover_at": next_handover(s, now).isoformat(),
                }
                for s in manager.routing.policy.schedules
            ],
            "problem": manager.problem(),
            "unjudged": manager.unjudged(),
        }

    def alert(request: Request) -> Any:
        found = manager.board.find(request.path_params["id"])
        curve = curves.of(found, datetime.now(UTC)) if curves else None
        return {
            **_shown(manager, found),
            "events": manager.board.events(found),
            "told": manager.board.told(found),
            "curve": curve.told() if curve else None,
        }

    def history(request: Request) -> Any:
        limit = _limit(request)
        return {"alerts": [_shown(manager, a) for a in manager.board.history(limit)]}

    def resolution(_: Request) -> Any:
        return {"weeks": weekly(manager.board.history(_MAX_EPISODES))}

    def preview(request: Request) -> Any:
        found = manager.board.preview(request.query_params.getlist("matcher"))
        return {"count": len(found), "alerts": [_shown(manager, a) for a in found[:50]]}

    def deliveries(request: Request) -> Any:
        return {"deliveries": manager.board.deliveries(_limit(request))}

    handlers = {
        "alerts": alerts, "alert": alert, "history": history, "preview": preview, "resolution": resolution,
        "deliveries": deliveries,
    }  # fmt: skip
    return {name: _reading(handler) for name, handler in handlers.items()}


def _writes(manager: Manager) -> dict[str, _Handler]:
    def acknowledge(request: Request, body: Any) -> Any:
        note = _text(body, "note")
        return to_record(manager.acknowledge(request.path_params["id"], _by(request, body), note))

    def resolve(request: Request, body: Any) -> Any:
        return to_record(manager.resolve(request.path_params["id"], _by(request, body)))

    def silence(request: Request, body: Any) -> Any:
        matchers = body.get("matchers")
        if not isinstance(matchers, list) or not all(isinstance(m, str) for m in matchers):
            raise ValueError('matchers must be a list of texts such as component="api"')
        ends_at = datetime.now(UTC) + duration(_text(body, "duration") or "1h")
        made = manager.silence(matchers, ends_at, _by(request, body), _text(body, "comment"))
        return {**to_record(made), "matches_now": len(manager.board.preview(made.matchers))}

    def unsilence(request: Request, _: Any) -> Any:
        ended: Silence = manager.unsilence(request.path_params["id"])
        return to_record(ended)

    def test(request: Request, _: Any) -> Any:
        return {"key": manager.test_channel(request.path_params["name"])}

    handlers = {
        "acknowledge": acknowledge, "resolve": resolve, "silence": silence,
        "unsilence": unsilence, "test": test,
    }  # fmt: skip
    return {name: _writing(handler) for name, handler in handlers.items()}


def _alertmanager(v2: V2) -> list[Route]:
    return [
        Route("/api/v2/alerts", _writing(v2.receive), methods=["POST"]),
        Route("/api/v2/alerts", _reading(v2.alerts), methods=["GET"]),
        Route("/api/v2/silences", _writing(v2.put_silence), methods=["POST"]),
        Route("/api/v2/silences", _reading(v2.silences), methods=["GET"]),
        Route("/api/v2/silence/{id}", _reading(v2.silence), methods=["GET"]),
        Route("/api/v2/silence/{id}", _reading(v2.end_silence), methods=["DELETE"]),
        Route("/api/v2/receivers", _reading(v2.receivers)),
        Route("/api/v2/status", _reading(v2.status)),
    ]


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
    except Unknown as problem:
        return _error(404, str(problem))
    except KeyError:
        return _error(404, "there is nothing of this name or id")
    except (BadMatcher, ValueError, AttributeError) as problem:
        is_ours = not isinstance(problem, AttributeError)
        return _error(400, str(problem) if is_ours else "the body must be a JSON object")


def _shown(manager: Manager, alert: Alert) -> dict[str, Any]:
    step = next_step(alert, manager.routing)
    after = {"at": step[0].isoformat(), "notify": list(step[1])} if step else None
    cause = manager.board.cause_of(alert)
    return {
        **to_record(alert),
        "id": alert.id,
        "next": after,
        "cause": _named(cause) if cause else None,
    }


def _named(alert: Alert) -> dict[str, Any]:
    over = alert.resolved_at.isoformat() if alert.resolved_at and not alert.is_active else None
    return {"id": alert.id, "summary": alert.summary or alert.rule, "resolved_at": over}


def _by(request: Request, body: Any) -> str:
    """Whom the door recognised; without a door, whom the body names."""
    return getattr(request.state, "who", "") or _text(body, "by") or "operator"


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
