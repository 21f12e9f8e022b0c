"""Routes of whoever runs the product: processes and runs that fail, and the command line.

Here: senders of private texts through them, each yields the doors it went through. Not here: the list
(`routes`), looking for the texts (`test_every_route`).
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.e2e.canaries import Canary
from tests.e2e.doors import commands
from tests.e2e.stage import Stage


def failing_processes(stage: Stage) -> Iterator[str]:
    """Every supervised process with an error that quotes texts in message, arguments and locals."""
    texts, home = stage.texts("fault.txt", stage.some(0)), str(stage.home)
    scratch = stage.inputs / "scratch"
    scratch.mkdir()
    subprocess.run(["cp", "-r", f"{home}/keys", scratch], check=True)
    own = ("--home", str(scratch))
    faults = {
        "receiver": ("ingestion.spool:Spool.__init__", "ingestion.receivers", *own),
        "live-tail": ("live_tail.window.window:Window.__init__", "live_tail", *own),
        "notifier": ("live_tail.alerts.life.outbox:Outbox.waiting_channels", "live_tail.alerts.notify.notifier", *own),
        "collectors": ("ingestion.collectors.machine.host:HostMetrics.__init__", "ingestion.collectors", *own),
        "demo": ("tta_monitor.traffic.replay:read_capture", "tta_monitor.traffic.demo", *own, "--replay-only"),
        "dagster": ("dagster_project.process.serve:ensure_dagster_home", "dagster_project.process", "serve"),
    }  # fmt: skip

    def run(fault: tuple[str, ...]) -> bytes:
        done = subprocess.run(
            [sys.executable, "-m", "tests.e2e.faults", fault[0], str(texts), *fault[1:]],
            cwd=ROOT, env=stage.processes.environment, capture_output=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode, fault
        return done.stdout + done.stderr

    with ThreadPoolExecutor(2) as pool:
        for name, said in zip(faults, pool.map(run, faults.values()), strict=True):
            assert b"stopped by RuntimeError" in said, (name, said[-600:])
            stage.heard("crashes.bin", said)
            yield f"process {name}"
    yield "process app"  # its pages fail in `app`


def aborted_receiver(stage: Stage) -> Iterator[str]:
    """A receiver that dies with texts in its memory leaves no dump."""
    stage.processes.kill("ingestion.receivers", 6)
    assert not list(ROOT.glob("core*")) and not list(stage.home.rglob("core*"))
    stage.processes.start("ingestion.receivers")
    yield "process receiver"


def failing_run(stage: Stage) -> Iterator[str]:
    """A Dagster run whose step fails over a text, in the same storage as good runs."""
    texts = stage.texts("run.txt", stage.some(2))
    command = ["ingestion.lake.compaction:compact", str(texts), "tta_monitor", "build"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.faults", *command],
        cwd=ROOT, env=stage.processes.environment, capture_output=True, check=False, timeout=600,
    )  # fmt: skip
    stage.heard("crashes.bin", done.stdout + done.stderr)
    assert done.returncode == 1 and b"landed" in done.stderr, done.stderr[-2_000:]
    yield "command build"


_FILES = frozenset("path files file rules policy heads patterns".split())
_CHOICES = {"role": "operator", "format": "json", "audience": "operations"}
_ONLY_WRONG = ("up", "down", "build", "privacy scan", "keys rotate", "privacy erase")


def command_line(stage: Stage) -> Iterator[str]:
    """Every command with texts as arguments, in the files it reads and in what it asks for.

    A terminal shows whoever typed it what was typed; what stood in a file it must not show.
    """
    typed, held = stage.some(6), stage.some(7)
    file = stage.inputs / "held.yaml"
    file.write_text("\n".join(f"- alert: {c.sentence}\n  expr: '{c.text}'" for c in held))
    lines = []
    for words, command in commands():
        name = " ".join(words)
        wrong = [*words, *(c.text for c in typed[:3]), "--no-such-option", typed[3].text]
        lines.append(json.dumps(wrong))
        if name in _ONLY_WRONG:
            continue
        for canary in typed[:: len(typed) // 2]:
            lines.append(json.dumps([*words, *_arguments(command, canary, file)]))
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.cli_driver"],
        cwd=ROOT, env=stage.processes.environment, input="\n".join(lines).encode(),
        capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    assert not done.returncode, done.stderr[-2_000:]
    stage.heard("terminal.bin", done.stdout + done.stderr)
    yield from (f"command {' '.join(words)}" for words, _ in commands())


def _arguments(command: Any, canary: Canary, file: Path) -> Iterator[str]:
    for parameter in command.params:
        if parameter.name == "help" or getattr(parameter, "is_flag", False):
            continue
        if parameter.name in {"rate", "hours", "minutes", "expires", "step", "since", "duration"}:
            continue
        text = (
            str(file) if parameter.name in _FILES else _CHOICES.get(parameter.name, canary.sentence)
        )
        if parameter.param_type_name == "argument":
            yield text.removeprefix("-")
        else:
            yield f"{parameter.opts[0]}={text}"
