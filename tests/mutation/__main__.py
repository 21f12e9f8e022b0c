"""`python -m tests.mutation [--count 25] [--seed 1] [--minutes 20] [TARGET …]`.

Samples mutants of each target and tries them until the time of the target is over; writes
`bench-results/mutation.json`. Exit code 1 when fewer than four of five were killed in one of them.
"""

import argparse
import json
import os
import signal
import sys
import time
from importlib import import_module
from pathlib import Path
from random import Random

import yaml

from tests.mutation.mutants import sample
from tests.mutation.targets import ROOT, TARGETS, Target
from tests.mutation.trial import run

_LEAST = 0.8
_SURVIVORS = Path(__file__).with_name("survivors.yaml")
# What every trial would import anew, none of it ours.
_HEAVY = (
    "duckdb numpy pyarrow pyarrow.compute pyarrow.parquet polars yaml pydantic cryptography hypothesis"
    " opentelemetry.proto.collector.trace.v1.trace_service_pb2 starlette.testclient msgspec opendp scipy.stats"
).split()


def main() -> int:
    """All targets, or those that are named."""
    parser = argparse.ArgumentParser(prog="tests.mutation", description=__doc__)
    parser.add_argument("targets", nargs="*", help=f"of {list(TARGETS)}; default: all")
    parser.add_argument("--count", type=int, default=25, help="mutants of each target")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--minutes", type=float, default=20, help="at most, for each target")
    given = parser.parse_args()
    _forget_ours()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
    for name in _HEAVY:
        import_module(name)
    explained = yaml.safe_load(_SURVIVORS.read_text()) or {}
    results = {}
    for name in given.targets or TARGETS:
        results[name] = _tried(TARGETS[name], given.count, given.seed, given.minutes * 60)
        _tell(name, results[name], explained)
    out = ROOT / "bench-results" / "mutation.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps({"seed": given.seed, "targets": results}, indent=2))
    return int(any(r["killed"] < _LEAST * r["tried"] for r in results.values()))


def _forget_ours() -> None:
    """Settings of a machine are none of a test's business."""
    os.chdir(ROOT)
    for name in [n for n in os.environ if n.startswith("TTA_MONITOR_")]:
        del os.environ[name]


def _tried(target: Target, count: int, seed: int, seconds: float) -> dict:
    tests = target.tests
    passes, once_s = run(tests, None, 900)
    if not passes:
        sys.exit(f"error: {' '.join(tests)} fail without a change; mend them first")
    ends = time.monotonic() + seconds
    survivors, tried = [], 0
    for mutant in sample(target.modules(), count, Random(seed)):
        if time.monotonic() > ends:
            break
        changed = (mutant.module, str(mutant.file), mutant.source())
        survives, _ = run(tests, changed, 30 + 3 * once_s)
        tried += 1
        print("." if not survives else "s", end="", file=sys.stderr, flush=True)
        if survives:
            survivors.append(mutant.told())
    return {"tried": tried, "killed": tried - len(survivors), "survivors": survivors}


def _tell(name: str, result: dict, explained: dict[str, str]) -> None:
    print(f"{name}: {result['killed']} of {result['tried']} killed", flush=True)
    for survivor in result["survivors"]:
        print(f"  {survivor}\n    {explained.get(survivor, 'NOT EXPLAINED')}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
