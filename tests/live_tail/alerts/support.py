"""Rules, rounds, clocks and a webhook receiver for the tests of alerts."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from live_tail.alerts.words.rule_records import Reading, Round, Rule, Severity, labels_of

START = datetime.fromisoformat("2026-03-01T00:00:00+00:00")


class Clock:
    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


def rule(name: str = "Broken", **changes: Any) -> Rule:
    given = {"severity": Severity.CRITICAL, "summary": f"{name} is wrong", **changes}
    return Rule(name, "threshold", {}, **given)


def reading(name: str = "Broken", value: float = 1.0, **labels: str) -> Reading:
    return Reading(name, labels_of(labels), value)


def round_at(at: datetime, *readings: Reading, **more: Any) -> Round:
    return Round(at, readings, **more)


@dataclass(frozen=True)
class Received:
    """One request that a hook got; header names are in lower case."""

    path: str
    headers: dict[str, str]
    content: bytes
    at_s: float


class Hook:
    """An HTTP receiver that keeps what it was told; `answer` may hang or refuse."""

    def __init__(self, answer: Callable[[], int] = lambda: 200) -> None:
        self.requests: list[Received] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                content = self.rfile.read(length)
                if len(content) < length:
                    # Its sender died on the way: nothing was received.
                    self.close_connection = True
                    return
                names = {k.lower(): v for k, v in self.headers.items()}
                outer.requests.append(Received(self.path, names, content, time.time()))
                try:
                    self.send_response(answer())
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def received(self) -> list[tuple[str, dict[str, Any], float]]:
        """Key, JSON and time of each message."""
        return [
            (r.headers.get("idempotency-key", ""), json.loads(r.content), r.at_s)
            for r in list(self.requests)
        ]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def wait_for(condition: Callable[[], bool], seconds: float = 90) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()
