"""First starts of fresh checkouts, one after the other, with one core kept busy: each publishes marts.

Here: a clone, `up --demo`, in every second one a `build` begun in the same second. `python -m
tests.bench.first_starts [COUNT]` runs it alone. Not here: what a start costs (`budgets`).
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.operator import Operator
from tests.processes import ROOT

_PUBLISHED_S = 300


def first_starts(count: float = 30) -> dict[str, Any]:
    """How many of `count` first starts published marts, and the longest that one took."""
    took: list[float | None] = []
    with _busy_core():
        for number in range(int(count)):
            with tempfile.TemporaryDirectory() as folder:
                took.append(_first_start(Path(folder), has_build=number % 2 == 1))
            print(f"start {number + 1}: {took[-1]} s", file=sys.stderr, flush=True)
    published = [seconds for seconds in took if seconds is not None]
    return {
        "first_starts": len(took),
        "first_starts_published": len(published),
        "first_start_longest_s": round(max(published), 1) if published else None,
    }


def _first_start(folder: Path, *, has_build: bool) -> float | None:
    """Seconds from `up` to published marts; None when there are none in time or a pass failed."""
    checkout = folder / "checkout"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(checkout)], check=True)
    (checkout / ".venv").symlink_to(ROOT / ".venv")
    operator = Operator(folder / "home")
    command = [str(checkout / "tta.sh"), "monitor"]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    began = time.monotonic()
    build = None
    if has_build:
        build = subprocess.Popen([*command, "build"], env=operator.environment, **quiet)
    up = [*command, "up", "--demo", "--detach"]
    subprocess.run(up, env=operator.environment, check=False, **quiet)
    try:
        published = operator.home / "published" / "operations.duckdb"
        while not published.exists():
            if time.monotonic() - began > _PUBLISHED_S:
                return None
            time.sleep(0.5)
        took = time.monotonic() - began
        if build is not None and build.wait():
            return None
        return took
    finally:
        subprocess.run([*command, "down"], env=operator.environment, check=False, **quiet)


@contextmanager
def _busy_core() -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            yield
        finally:
            busy.kill()


if __name__ == "__main__":
    print(json.dumps(first_starts(*map(float, sys.argv[1:])), indent=1))
