"""Fixtures every test shares: a fresh data home, free ports, the real capture."""

import json
import os
import signal
import socket
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.receivers.doors.http import PATHS
from ingestion.settings import Settings, load_settings
from ingestion.spool import Spool
from privacy.keys.key_store import KeyStore
from privacy.process_log import log as logs
from tta_monitor.traffic.demo import CAPTURE

ROOT = Path(__file__).resolve().parent.parent


# A shell's background job ignores SIGINT. Dagster gives SIGTERM the handler of SIGINT, and what a test
# starts inherits both: nothing would end by being asked to.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first: at the end no worker is left alone with one of them."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@dataclass(frozen=True)
class Body:
    """One captured request body."""

    signal: str
    path: str
    content: bytes


@pytest.fixture(autouse=True)
def _same_main_module() -> Iterator[None]:
    """Streamlit's AppTest puts the page in the place of `__main__`; a spawned process would run it."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@pytest.fixture(autouse=True)
def _nothing_was_said_before() -> None:
    """A process counts what it says again; a test is as if it had said nothing yet."""
    logs._our_repeats.flush()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data home, also chosen by the environment."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("TTA_MONITOR_HOME", str(folder))
    return folder


@pytest.fixture
def keys(home: Path) -> KeyStore:
    return KeyStore.open(home, create=True)


@pytest.fixture
def settings(home: Path, keys: KeyStore) -> Settings:
    return load_settings(home)


@pytest.fixture
def spool(settings: Settings, keys: KeyStore) -> Spool:
    return Spool(settings.spool_path, keys)


@pytest.fixture
def pipeline(spool: Spool, keys: KeyStore) -> Pipeline:
    return Pipeline(spool, keys)


@pytest.fixture(scope="session")
def capture() -> list[Body]:
    """The packaged capture of real TTA telemetry."""
    with tarfile.open(CAPTURE) as archive:
        members = {m.name.removeprefix("./"): m for m in archive.getmembers()}
        index = archive.extractfile(members["otlp/index.jsonl"]).read().decode()
        entries = [json.loads(line) for line in index.splitlines()]
        return [
            Body(
                PATHS[e["path"]],
                e["path"],
                archive.extractfile(members[f"otlp/{e['file']}"]).read(),
            )
            for e in entries
        ]


@pytest.fixture(scope="session")
def incoming(capture: list[Body]) -> list[Incoming]:
    return [Incoming(body.signal, body.content) for body in capture]


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, incoming: list[Incoming]) -> Settings:
    """A home into which the whole capture was received and built once, for reading only.

    The processes of one test run share it.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "built" / "home"
    with FileLock(folder.parent.with_suffix(".lock")):
        return load_settings(folder) if folder.exists() else _build(folder, incoming)


def _build(folder: Path, incoming: list[Incoming]) -> Settings:
    from dagster_project.process.build import run_build

    folder.mkdir(parents=True)
    keys = KeyStore.open(folder, create=True)
    chosen = load_settings(folder)
    pipeline = Pipeline(Spool(chosen.spool_path, keys), keys)
    for start in range(0, len(incoming), 64):
        pipeline.process(incoming[start : start + 64])
    pipeline.process([Incoming("spans", b"\xff")])
    report = run_build(chosen)
    assert report.ok, report
    return chosen
