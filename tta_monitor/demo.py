"""The demo: replay the packaged capture as if it happened now, then simulate."""

import argparse
import sys
import time
from pathlib import Path

from ingestion.settings import Settings, load_settings
from privacy.logs import guard, logger
from tta_monitor import replay
from tta_monitor.simulator.traffic import simulate

CAPTURE = Path(__file__).parent / "data" / "tta-otlp-capture.tar.xz"
_RATE_PER_S = 4.0
_log = logger()


def main() -> int:
    """Run until stopped."""
    guard()
    parser = argparse.ArgumentParser(prog="tta_monitor.demo", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    settings = load_settings(parser.parse_args().home)
    endpoint = f"http://{settings.receiver.host}:{settings.receiver.http_port}"
    replay_once(settings, endpoint)
    simulate(endpoint, rate_per_s=_RATE_PER_S, seed=int(time.time()))
    return 0


def replay_once(settings: Settings, endpoint: str) -> None:
    """Replay the capture into a home that has not seen it: a second `up` adds no second copy."""
    mark = settings.home / "demo-replayed"
    if mark.exists():
        return
    captured = replay.shifted(replay.read_capture(CAPTURE), time.time())
    results = list(replay.send_all(captured, endpoint, rate=None))
    failed = sum(bool(r.error) for r in results)
    accepted = sum(r.accepted for r in results)
    _log.info("capture replayed", items=accepted, bodies=len(results), failed_bodies=failed)
    if not failed:
        mark.touch()


if __name__ == "__main__":
    sys.exit(main())
