"""The demo: replay the packaged capture as if it happened now, then simulate.

Here: the order of things. Replaying needs the whole of OTLP and what reads it once; it is done by a
process that ends, and the simulator takes this one's place.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from ingestion.doors.own_receiver import OwnDoor
from ingestion.processes.entry import run_process
from ingestion.settings import Settings
from privacy.process_log.log import logger

CAPTURE = Path(__file__).parent / "data" / "tta-otlp-capture.tar.xz"
_RATE_PER_S = 4.0
_log = logger()


def main() -> int:
    """Run until stopped; exit code 2 when settings are wrong."""
    return run_process("demo", __doc__, _work, arguments=_arguments)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--replay-only", action="store_true", help="end after the capture")


def _work(settings: Settings, given: argparse.Namespace) -> None:
    if given.replay_only:
        replay_once(settings)
        return
    if not _mark(settings).exists():
        again = [sys.executable, "-m", "tta_monitor.traffic.demo", "--home", str(settings.home)]
        subprocess.run([*again, "--replay-only"], stdin=subprocess.DEVNULL, check=True)
    door = OwnDoor.of(settings)
    simulator = [sys.executable, "-m", "tta_monitor.simulator", "--endpoint", door.url]
    numbers = ["--rate", str(_RATE_PER_S), "--seed", str(int(time.time()))]
    # Other users see a process's arguments, not its environment.
    os.execve(sys.executable, [*simulator, *numbers], os.environ | door.environment)  # noqa: S606


def replay_once(settings: Settings) -> None:
    """Replay the capture into a home that has not seen it: a second `up` adds no second copy."""
    from tta_monitor.traffic import replay

    if _mark(settings).exists():
        return
    captured = replay.shifted(replay.read_capture(CAPTURE), time.time())
    results = list(replay.send_all(captured, OwnDoor.of(settings), rate=None))
    failed = sum(bool(r.error) for r in results)
    accepted = sum(r.accepted for r in results)
    _log.info("capture replayed", items=accepted, bodies=len(results), failed_bodies=failed)
    if not failed:
        _mark(settings).touch()


def _mark(settings: Settings) -> Path:
    return settings.home / "demo-replayed"


if __name__ == "__main__":
    sys.exit(main())
