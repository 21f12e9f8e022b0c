"""How processes begin and end: what is wrong is one sentence and code 2, never a traceback."""

import argparse
import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ingestion.processes.entry import on_stop, run_process
from ingestion.settings import Settings
from ingestion.spool import SCHEMA as SPOOL
from privacy.disk.sqlite_databases import Schema, Step, open_database
from privacy.keys.state_tables import STATE
from tests.conftest import ROOT

_PROCESSES = {
    "receiver": ["ingestion.receivers"],
    "live tail": ["live_tail"],
    "notifier": ["live_tail.alerts.notify.notifier"],
    "collectors": ["ingestion.collectors"],
    "dagster": ["dagster_project.process", "serve", "--headless"],
    "demo": ["tta_monitor.traffic.demo"],
}


class Wrong(Exception):
    """Something that this process foresees."""


@pytest.fixture(autouse=True)
def _arguments(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr("ingestion.processes.entry.guard", lambda: None)
    monkeypatch.setattr(sys, "argv", ["it", "--home", str(settings.home), "--often"])


def _often(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--often", action="store_true")


def ended(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    of_home = (
        [] if words[0] == "tta_monitor" else ["--home", str(home)]
    )  # its home is the environment's
    return subprocess.run(
        [sys.executable, "-m", *words, *of_home],
        cwd=ROOT, text=True, capture_output=True, check=False, timeout=120,
    )  # fmt: skip


def test_the_work_gets_the_settings_of_the_home_and_the_arguments(settings: Settings) -> None:
    seen = []
    code = run_process("it", None, lambda *given: seen.append(given), arguments=_often)
    assert code == 0
    ((found, given),) = seen
    assert found.home == settings.home and given.often


def test_what_a_process_foresees_ends_it_with_a_sentence_and_all_else_is_raised(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails(*_: object) -> None:
        raise Wrong("the port is taken: choose another one.")

    assert run_process("it", None, fails, problems=(Wrong,), arguments=_often) == 2
    assert capsys.readouterr().err == "it: the port is taken: choose another one.\n"
    with pytest.raises(Wrong):
        run_process("it", None, fails, arguments=_often)


@pytest.mark.parametrize("name", sorted(_PROCESSES))
def test_every_process_tells_wrong_settings_in_a_sentence(name: str, settings: Settings) -> None:
    (settings.home / "config.yaml").write_text("receiver: {http_port: many}\n")
    done = ended(*_PROCESSES[name], home=settings.home)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{name}: ") and "receiver.http_port" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "database", "schema"),
    [
        (["ingestion.receivers"], "spool.db", SPOOL),
        (["live_tail"], "state.db", STATE),
        (["live_tail.alerts.notify.notifier"], "state.db", STATE),
        (["tta_monitor", "access", "user", "list"], "state.db", STATE),
    ],
)
def test_a_home_of_a_version_too_late_is_told_in_a_sentence(
    words: list[str], database: str, schema: Schema, settings: Settings
) -> None:
    ahead = replace(schema, steps=(*schema.steps, Step(""), Step("")))
    with closing(open_database(settings.home / database, ahead)):
        done = ended(*words, home=settings.home)
    assert done.returncode == 2
    assert "a later version has written it" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_that_is_asked_to_end_stops(number: int) -> None:
    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}
    stopping = threading.Event()
    try:
        on_stop(stopping.set)
        os.kill(os.getpid(), number)
        assert stopping.wait(5)
    finally:
        for n, handler in before.items():
            signal.signal(n, handler)
