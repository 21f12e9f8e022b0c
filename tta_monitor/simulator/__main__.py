"""`python -m tta_monitor.simulator --home H --rate N [--seed S] [--duration S] [--calm]`."""

# ruff: noqa: E402 - after what it does without
from ingestion.processes.lean import without_chardet, without_rarely_used

without_rarely_used()
without_chardet()

import argparse
import os
from pathlib import Path

from ingestion.processes.supervised import end_with_supervisor
from privacy.process_log.log import guard
from tta_monitor.simulator.traffic import simulate

guard()
end_with_supervisor()
parser = argparse.ArgumentParser(prog="tta_monitor.simulator", description=__doc__)
parser.add_argument("--home", type=Path)
parser.add_argument("--endpoint", help="OTLP/HTTP endpoint (default: the home's receiver)")
parser.add_argument("--rate", type=float, default=5.0, help="requests per second")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--duration", type=float, help="seconds (default: until stopped)")
parser.add_argument("--calm", action="store_true", help="without the outage of Redis")
arguments = parser.parse_args()
endpoint = arguments.endpoint
if endpoint is None:
    # Half of its memory, for whoever names no endpoint.
    from ingestion.doors.own_receiver import OwnDoor
    from ingestion.settings import load_settings

    door = OwnDoor.of(load_settings(arguments.home))
    os.environ |= door.environment
    endpoint = door.url
simulate(
    endpoint,
    rate_per_s=arguments.rate,
    seed=arguments.seed,
    duration_s=arguments.duration,
    is_calm=arguments.calm,
)
