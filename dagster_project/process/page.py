"""Dagster's web page on a socket of the home, loaded when somebody first opens it.

Here: the server's thread and the late loading. Not here: what the page shows (`dagster_webserver`), what
a request may do (`page_rules`) and who may ask: the app, which serves it under `/dagster`, says who asks.
Until the first visit it costs a listening socket; loading it takes two seconds and 45 MB.
"""

import asyncio
import contextlib
import json
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import uvicorn
from dagster._core.workspace.context import IWorkspaceProcessContext
from dagster.version import __version__

from dagster_project.process.page_rules import PREFIX, PageRules
from ingestion.doors.home_socket import listen
from privacy.audit.audit_log import AuditLog
from privacy.process_log.log import logger

_log = logger()
_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_App = Callable[[_Scope, _Receive, _Send], Awaitable[None]]
_READY = "/server_info"


class LatePage:
    """An ASGI app that answers whether it is there, and becomes Dagster's at any other request."""

    def __init__(self, load: Callable[[], _App]) -> None:
        self._load = load
        self._app: _App | None = None
        self._loading = asyncio.Lock()

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["path"] == _READY:
            await _say_ready(send)
            return
        async with self._loading:
            if self._app is None:
                self._app = await asyncio.to_thread(self._load)
        await self._app(scope, receive, send)


class _CalmServer(uvicorn.Server):
    """Looks once a second whether it should end, not ten times."""

    async def main_loop(self) -> None:
        """Tick until told to end."""
        counter = 0
        while not await self.on_tick(counter):
            counter = (counter + 10) % 864_000
            await asyncio.sleep(1)


class PageThread:
    """Serves the page in a thread of its own; the thread ends when it cannot listen."""

    def __init__(self, context: IWorkspaceProcessContext[Any], path: Path, log: AuditLog) -> None:
        self._path = path
        config = uvicorn.Config(
            PageRules(LatePage(lambda: _dagsters_page(context)), log),
            log_level="warning",
            access_log=False,
            lifespan="off",
        )
        self._server = _CalmServer(config)
        self._thread = threading.Thread(target=self._serve, name="page", daemon=True)
        self._thread.start()

    def is_alive(self) -> bool:
        """Whether it listens or is about to."""
        return self._thread.is_alive()

    def stop(self, timeout_s: float = 3) -> None:
        """Close the socket."""
        self._server.should_exit = True
        self._thread.join(timeout_s)

    def _serve(self) -> None:
        try:
            listening = listen(self._path)
        except OSError as error:
            _log.error("Dagster's page cannot listen", cause=error.strerror)
            return
        # uvicorn leaves the process when it cannot serve; here it leaves its thread.
        with listening, contextlib.suppress(SystemExit):
            self._server.run(sockets=[listening])


def _dagsters_page(context: IWorkspaceProcessContext[Any]) -> _App:
    from dagster_webserver.app import (  # noqa: PLC0415 - two seconds, 45 MB
        create_app_from_workspace_process_context,
    )

    return create_app_from_workspace_process_context(context, path_prefix=PREFIX)


async def _say_ready(send: _Send) -> None:
    body = json.dumps({"dagster_version": __version__}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
