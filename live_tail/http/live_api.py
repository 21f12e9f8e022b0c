"""The read-only query API of the live tail, for the app, the CLI and scripts.

Here: HTTP around the named queries, JSON or Arrow, health and metrics. Not here: SQL (`queries`).
"""

import io
import math
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Gauge,
    Histogram,
    Metric,
    generate_latest,
)
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ingestion.doors.turned_away import TurnedAway
from live_tail.alerts.desk.manager import Manager
from live_tail.alerts.http.alerts_api import routes as alert_routes
from live_tail.alerts.rules.curves import Curves
from live_tail.window.follow import Follower
from live_tail.window.queries.asking import run_query
from live_tail.window.queries.catalogue import QUERIES
from live_tail.window.queries.named_query import BadQuery
from live_tail.window.window import Window

ARROW = "application/vnd.apache.arrow.stream"
_FRESHNESS = {
    "name": "freshness",
    "description": "Where the live view stands.",
    "parameters": {},
}


class _Numbers:
    """The process's own numbers as a Prometheus exposition."""

    def __init__(self, window: Window, follower: Follower) -> None:
        self._window, self._follower = window, follower
        self._registry = registry = CollectorRegistry()
        self._lag = Gauge(
            "tta_monitor_live_lag_ms", "Wait of the oldest batch not taken in.", registry=registry
        )
        self._seq = Gauge("tta_monitor_live_seq", "Last spool batch.", registry=registry)
        self._items = Gauge("tta_monitor_live_items", "By fate.", ["fate"], registry=registry)
        self.took = Histogram(
            "tta_monitor_live_query_seconds", "Query time.", ["query"], registry=registry
        )

    def also(self, turned_away: TurnedAway) -> None:
        """Tell what the door turned away as well."""

        class Told(Collector):
            def collect(self) -> list[Metric]:
                return [turned_away.family()]

        self._registry.register(Told())

    def exposition(self) -> bytes:
        lag_ms = self._follower.lag_ms
        self._lag.set(math.nan if lag_ms is None else lag_ms)
        self._seq.set(self._follower.live_seq)
        for fate in ("rows", "late", "future", "duplicate"):
            self._items.labels(fate).set(self._window.counts[fate])
        return generate_latest(self._registry)


def build_app(
    window: Window,
    follower: Follower,
    manager: Manager | None = None,
    turned_away: TurnedAway | None = None,
    curves: Curves | None = None,
) -> Starlette:
    """The ASGI application; with a manager the alerts API is part of it, with `curves` its pictures.

    What is turned away before it is in its numbers.
    """
    numbers = _Numbers(window, follower)
    if turned_away is not None:
        numbers.also(turned_away)

    async def query(request: Request) -> Response:
        return await _query(window, follower, numbers, request)

    async def queries(_: Request) -> Response:
        return JSONResponse([*(_described(name) for name in QUERIES), _FRESHNESS])

    async def readyz(request: Request) -> Response:
        ready = follower.is_ready()
        if "verbose" in request.query_params:
            row = {k: _plain(v) for k, v in follower.freshness().items()}
            return JSONResponse({"ready": ready, **row}, 200 if ready else 503)
        return PlainTextResponse("ok\n" if ready else "catching up\n", 200 if ready else 503)

    async def livez(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def metrics(_: Request) -> Response:
        return Response(numbers.exposition(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/livez", livez),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            Route("/api/v1/queries", queries),
            Route("/api/v1/query/{name}", query),
            *(alert_routes(manager, curves) if manager else ()),
        ]
    )


async def _query(
    window: Window, follower: Follower, numbers: _Numbers, request: Request
) -> Response:
    name = request.path_params["name"]
    parameters = dict(request.query_params)
    form = parameters.pop("format", "json")
    if form not in {"json", "arrow"}:
        return _error(400, "format must be json or arrow")
    if name != "freshness" and name not in QUERIES:
        return _error(404, f"there is no query {name[:60]!r}: see /api/v1/queries")
    try:
        with numbers.took.labels(name).time():
            rows = await run_in_threadpool(_rows, window, follower, name, parameters)
    except BadQuery as problem:
        return _error(400, str(problem))
    if form == "arrow":
        return Response(_arrow(rows), media_type=ARROW)
    answer = {
        "name": name,
        "as_of": _plain(window.now()),
        "lag_ms": follower.lag_ms,
        "window_minutes": window.minutes,
        "rows": [{k: _plain(v) for k, v in row.items()} for row in rows],
    }
    return JSONResponse(answer)


def _rows(
    window: Window, follower: Follower, name: str, parameters: dict[str, str]
) -> list[dict[str, Any]]:
    follower.take_in()
    if name == "freshness":
        return [follower.freshness()]
    return run_query(window, name, parameters)


def _described(name: str) -> dict[str, Any]:
    query = QUERIES[name]
    return {
        "name": name,
        "description": query.description,
        "parameters": {
            key: {"description": p.description, "default": p.default}
            for key, p in query.parameters.items()
        },
    }


def _plain(value: Any) -> Any:
    """JSON form: UTC times with Z; a number that is none becomes null; of lists and mappings each value."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, datetime):
        utc = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return utc.isoformat().replace("+00:00", "Z")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _arrow(rows: list[dict[str, Any]]) -> bytes:
    table = pa.Table.from_pylist(rows)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": message}, status)
