"""The product in one process over a home of its own: its doors, the live window, the drain, the build.

Here: the real parts as their processes put them together, without sockets. Not here: what is sent
(`doors`) and what must hold (`campaign`).
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import grpc

from ingestion.collectors.log_files.file_tail import LogTail
from ingestion.collectors.own_settings import FollowedFiles
from ingestion.contracts import SIGNALS
from ingestion.doors.own_receiver import SendFailed, SendRefused
from ingestion.lake import drain as lake
from ingestion.lake.catalog import Catalog
from ingestion.lake.duck import add_file_keys, connect
from ingestion.lake.partitions import scan
from ingestion.lake.plan_run import DrainReport
from ingestion.receivers.committing.committer import Committer
from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.receivers.decoding.budget import BodyBudget
from ingestion.receivers.doors.grpc import METHODS, _Door
from ingestion.receivers.doors.http import build_app
from ingestion.settings import Settings, load_settings
from ingestion.spool import Spool
from live_tail.window.follow import Follower
from live_tail.window.queries.asking import run_query
from live_tail.window.queries.catalogue import QUERIES
from live_tail.window.window import Window
from privacy.keys.key_store import KeyStore

_RPC = {signal: method for method, signal in METHODS.items()}
_OF_A_GROUP = frozenset({"error_group", "error_releases"})
_COME_AGAIN, _TOO_MUCH = frozenset({429, 502, 503, 504}), frozenset({400, 413})
Entry = tuple[str, str, datetime, str, str]
"""component, signal, hour, outcome, reason"""


class Aborted(Exception):
    """What a gRPC door told a sender: the name of a status."""

    def __init__(self, code: grpc.StatusCode) -> None:
        super().__init__(code.name)
        self.code = code.name


@dataclass
class Product:
    """Everything between a sender and the marts; entered with `opened`."""

    settings: Settings
    keys: KeyStore
    pipeline: Pipeline
    committer: Committer
    app: Any
    grpc_door: _Door
    window: Window
    follower: Follower
    folder: Path
    tail_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    tailing: LogTail | None = None
    on_log_body: Callable[[str, bytes, int], None] | None = None
    clock_s: float = 0.0

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Status and answer of the HTTP door for a request from this machine."""
        scope = {
            "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 4318), "scheme": "http", "http_version": "1.1",
        }  # fmt: skip
        answer: dict[str, Any] = {"body": b""}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                answer["status"] = message["status"]
            else:
                answer["body"] += message.get("body", b"")

        await self.app(scope, receive, send)
        return answer["status"], answer["body"]

    async def call(self, signal: str, body: bytes) -> bytes:
        """The answer of the gRPC door; raises Aborted."""
        details: Any = SimpleNamespace(method=_RPC[signal])
        handler: Any = self.grpc_door.service(details)
        return await handler.unary_unary(body, _Context())

    def tail(self) -> LogTail:
        """The tail of the files in `folder`; what it sends goes through the HTTP door."""
        if self.tailing is None:
            self.tailing = self._new_tail(asyncio.get_running_loop())
        return self.tailing

    def _new_tail(self, loop: asyncio.AbstractEventLoop) -> LogTail:

        def send(path: str, body: bytes) -> None:
            headers = {"content-type": "application/x-protobuf"}
            posted = asyncio.run_coroutine_threadsafe(self.post(path, body, headers), loop)
            status, _ = posted.result()
            if self.on_log_body:
                self.on_log_body(path, body, status)
            if status in _COME_AGAIN:
                raise SendFailed(str(status))
            if status in _TOO_MUCH:
                raise SendRefused(str(status))

        files = [FollowedFiles(glob=str(self.folder / "*.log"))]
        return LogTail(
            self.settings.home,
            self.keys,
            files,
            lambda body: send("/v1/logs", body),
            tell=lambda body: send("/v1/metrics", body),
            clock=lambda: self.clock_s,
        )

    def take_in(self) -> None:
        """The live window takes in all that was committed; nothing may be skipped or refused."""
        while self.follower.step():
            pass
        self.window.cursor().close()

    def ask_everything(self) -> None:
        """Every named query, and a round of tidying."""
        for name in QUERIES:
            run_query(self.window, name, {"key": "k"} if name in _OF_A_GROUP else {})
        self.window.tidy()

    def drain(self) -> DrainReport:
        """Land all that is in the spool."""
        return lake.drain(self.settings, self.keys)

    def ledger(self) -> Counter[Entry]:
        """What the lake's ledger says."""
        rows = self._rows(
            "ledger", "component, signal, hour_at, outcome, reason, sum(items)::BIGINT"
        )
        return Counter({row[:5]: row[5] for row in rows})

    def landed(self) -> Counter[tuple[str, str, datetime]]:
        """Rows of the lake by component, signal and hour of arrival."""
        found: Counter[tuple[str, str, datetime]] = Counter()
        for signal in SIGNALS:
            hour = "date_trunc('hour', received_at)"
            for component, hour_at, rows in self._rows(signal, f"component, {hour}, count(*)"):
                found[component, signal, hour_at] += rows
        return found

    def _rows(self, signal: str, columns: str) -> list[tuple[Any, ...]]:
        catalog = Catalog(self.settings.lake_path)
        files = catalog.files(signal)
        catalog.close()
        if not files:
            return []
        con = connect()
        try:
            add_file_keys(con, self.keys, files)
            rows = scan(self.settings, files)
            return con.execute(f"SELECT {columns} FROM ({rows}) GROUP BY ALL").fetchall()
        finally:
            con.close()


class _Context:
    """What a servicer asks of gRPC."""

    def peer(self) -> str:
        return "ipv4:127.0.0.1:5"

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return (("user-agent", "fuzz"),)

    async def abort(self, code: grpc.StatusCode, details: str, *_: object) -> NoReturn:
        raise Aborted(code)


@asynccontextmanager
async def opened(home: Path) -> AsyncIterator[Product]:
    """The product over a fresh home, which the environment names meanwhile."""
    home.mkdir(parents=True)
    before = os.environ.get("TTA_MONITOR_HOME")
    os.environ["TTA_MONITOR_HOME"] = str(home)
    keys = KeyStore.open(home, create=True)
    settings = load_settings(home)
    spool, following = Spool(settings.spool_path, keys), Spool(settings.spool_path, keys)
    receiver = settings.receiver
    pipeline = Pipeline(spool, keys, budget=BodyBudget.of(receiver))
    committer = Committer(pipeline, group_ms=2, max_pending_bytes=receiver.max_pending_bytes)
    window = Window(minutes=60, max_errors=2_000, clock=lambda: datetime.now(UTC))
    folder = home / "logs"
    folder.mkdir()
    made = Product(
        settings, keys, pipeline, committer, build_app(committer, pipeline, receiver),
        _Door(committer, pipeline, receiver), window, Follower(following, window), folder,
    )  # fmt: skip
    committer.start()
    try:
        yield made
    finally:
        await committer.close()
        spool.close()
        following.close()
        if before is None:
            os.environ.pop("TTA_MONITOR_HOME", None)
        else:
            os.environ["TTA_MONITOR_HOME"] = before
