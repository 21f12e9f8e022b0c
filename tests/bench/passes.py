"""Passes while traffic never pauses: they end, publish, lose nothing and double nothing.

Here: a build under 2,000 spans a second, builds killed at random moments under the same traffic, and a
build of a night's backlog, each followed by a count of what is published against what was acknowledged.
`python -m tests.bench.passes [BACKLOG_SPANS]` runs it alone. Not here: what passes cost (`budgets`).
"""

import json
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from ingestion.lake.duck import open_published
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings, load_settings
from ingestion.spool import Spool
from privacy.keys.key_store import KeyStore
from tests.bench.load import request_body
from tests.processes import ROOT

_SPANS_PER_S = 2_000
_SPANS_PER_BODY = 50
_KILLS = 20


class _Traffic(threading.Thread):
    """Bodies of server spans in this process, straight to the pipeline: what it returns is acknowledged."""

    def __init__(self, home: Path) -> None:
        super().__init__(daemon=True)
        settings, keys = load_settings(home), KeyStore.open(home)
        self._pipeline = Pipeline(Spool(settings.spool_path, keys), keys)
        self._chance, self._stopping = random.Random(1), threading.Event()
        self.acknowledged = 0

    def run(self) -> None:
        started, sent = time.monotonic(), 0
        while not self._stopping.is_set():
            bodies = [self._body() for _ in range(4)]
            self._pipeline.process(bodies)
            sent += len(bodies) * _SPANS_PER_BODY
            self.acknowledged = sent
            time.sleep(max(started + sent / _SPANS_PER_S - time.monotonic(), 0))

    def _body(self) -> Incoming:
        ids = [self._chance.randbytes(8) for _ in range(_SPANS_PER_BODY)]
        return Incoming("spans", request_body(ids, self._chance))

    def stop(self) -> None:
        """Send no more and wait for what is on its way."""
        self._stopping.set()
        self.join()


def passes(backlog_spans: float = 2_000_000) -> dict[str, Any]:
    """Seconds of builds under traffic, and how many spans each of the three cases lost or doubled."""
    return _under_traffic() | _killed() | _backlog(int(backlog_spans))


def _under_traffic() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        settings, traffic = _begun(Path(folder))
        time.sleep(60)
        took, short = [], 0
        for _ in range(3):
            due, began = traffic.acknowledged, time.monotonic()
            _build(settings).wait()
            took.append(time.monotonic() - began)
            short = max(short, due - _published(settings))
        traffic.stop()
        _build(settings).wait()
        return {
            "build_under_2000_spans_s_longest_s": round(max(took), 1),
            "build_under_2000_spans_s_not_published": short,
            "build_under_2000_spans_s_wrong": _published(settings) - traffic.acknowledged,
        }


def _killed() -> dict[str, Any]:
    chance = random.Random(2)
    with tempfile.TemporaryDirectory() as folder:
        settings, traffic = _begun(Path(folder))
        time.sleep(5)
        for _ in range(_KILLS):
            build = _build(settings)
            time.sleep(chance.uniform(3, 25))
            build.send_signal(signal.SIGKILL)
            build.wait()
        traffic.stop()
        last = _build(settings).wait()
        return {
            "builds_killed": _KILLS,
            "build_after_kills_exit_code": last,
            "spans_wrong_after_kills": _published(settings) - traffic.acknowledged,
        }


def _backlog(spans: int) -> dict[str, Any]:
    chance = random.Random(3)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        keys = KeyStore.open(home, create=True)
        settings = load_settings(home)
        pipeline = Pipeline(Spool(settings.spool_path, keys), keys)
        sent, some = 0, 500
        while sent < spans:
            bodies = [
                Incoming("spans", request_body([chance.randbytes(8) for _ in range(some)], chance))
                for _ in range(8)
            ]
            pipeline.process(bodies)
            sent += some * len(bodies)
        began = time.monotonic()
        code = _build(settings).wait()
        took = time.monotonic() - began
        return {
            "backlog_spans": sent,
            "backlog_exit_code": code,
            "backlog_spans_per_s": round(sent / took),
            "backlog_spans_wrong": _published(settings) - sent,
        }


def _begun(home: Path) -> tuple[Settings, _Traffic]:
    KeyStore.open(home, create=True)
    traffic = _Traffic(home)
    traffic.start()
    return load_settings(home), traffic


def _build(settings: Settings) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tta_monitor", "--home", str(settings.home), "build"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _published(settings: Settings) -> int:
    con = open_published(settings, "operations")
    try:
        sql = "SELECT coalesce(sum(request_count), 0) FROM fct_requests_minutely"
        return int(con.execute(sql).fetchall()[0][0])
    finally:
        con.close()


if __name__ == "__main__":
    print(json.dumps(passes(*map(float, sys.argv[1:])), indent=1))
