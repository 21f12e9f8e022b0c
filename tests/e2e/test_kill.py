"""kill -9 at random moments: what was acknowledged is there, once."""

import os
import random
import threading
import time
from pathlib import Path

import httpx
import pytest

from ingestion.lake.catalog import Catalog
from ingestion.lake.drain import drain
from ingestion.lake.duck import add_parquet_keys, connect
from ingestion.lake.partitions import scan
from ingestion.settings import Settings
from privacy.keys.key_store import KeyStore
from tests.bench.load import request_body
from tests.processes import Running, running

KILLS = int(os.environ.get("TTA_MONITOR_TEST_KILLS", "10"))
"""`make bench` asks for 50."""
_SPANS_PER_BODY = 5
_MODULES = ("ingestion.receivers", "live_tail", "tests.e2e.drainer")


class _Sender(threading.Thread):
    """Sends bodies one after the other; each is repeated until it is acknowledged."""

    def __init__(self, url: str, seed: int, stopping: threading.Event) -> None:
        super().__init__(daemon=True)
        self._url, self._chance, self._stopping = url, random.Random(seed), stopping
        self.acknowledged: list[bytes] = []
        self.retries = 0
        self.refused: list[int] = []

    def run(self) -> None:
        with httpx.Client(timeout=20) as client:
            while not self._stopping.is_set():
                ids = [self._chance.randbytes(8) for _ in range(_SPANS_PER_BODY)]
                body = request_body(ids, self._chance)
                while not self._is_acknowledged(client, body):
                    self.retries += 1
                    time.sleep(0.05)
                self.acknowledged += ids
                time.sleep(0.02)

    def _is_acknowledged(self, client: httpx.Client, body: bytes) -> bool:
        headers = {"Content-Type": "application/x-protobuf"}
        try:
            answer = client.post(f"{self._url}/v1/traces", content=body, headers=headers)
        except httpx.TransportError:
            return False
        if answer.status_code not in {200, 429, 503}:
            self.refused.append(answer.status_code)
        return answer.status_code == 200


def _landed_ids(settings: Settings, keys: KeyStore) -> list[bytes]:
    con = connect()
    files = Catalog(settings.lake_path).files("spans")
    add_parquet_keys(con, keys, {("spans", f.day) for f in files})
    return [
        row[0] for row in con.execute(f"SELECT span_id FROM ({scan(settings, files)})").fetchall()
    ]


def _live_requests(processes: Running, expected: int) -> int:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        live = sum(r["request_count"] for r in processes.live("routes", minutes=60))
        if live >= expected:
            return live
        time.sleep(0.2)
    return live


def _kill_at_random(processes: Running, chance: random.Random) -> None:
    for _ in range(KILLS):
        time.sleep(chance.random() * 0.4)
        module = chance.choice(_MODULES)
        processes.kill(module)
        # The live tail may be killed again while it catches up; only a receiver has work at once.
        processes.start(module, is_awaited=module == "ingestion.receivers")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_kills_during_ingestion_lose_and_repeat_nothing(tmp_path: Path) -> None:
    stopping = threading.Event()
    with running(tmp_path, *_MODULES) as processes:
        senders = [_Sender(processes.http, seed, stopping) for seed in range(3)]
        for sender in senders:
            sender.start()
        _kill_at_random(processes, random.Random(4))
        stopping.set()
        for sender in senders:
            sender.join(60)
        acknowledged = [span_id for sender in senders for span_id in sender.acknowledged]
        processes.kill("live_tail")
        processes.start("live_tail")
        live = _live_requests(processes, len(acknowledged))
        processes.kill("tests.e2e.drainer")
    keys = KeyStore.open(tmp_path)
    drain(processes.settings, keys)
    landed = _landed_ids(processes.settings, keys)
    assert sum(sender.retries for sender in senders) > 0
    assert [code for sender in senders for code in sender.refused] == []
    assert len(acknowledged) > 100
    assert sorted(landed) == sorted(acknowledged)
    assert live == len(acknowledged)
