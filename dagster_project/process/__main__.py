"""Dagster of a data home, guarded: `python -m dagster_project.process serve [--headless]`.

Here: nothing but the guard and the environment before Dagster is imported. Not here: the process
(`serve`).
"""

import argparse
import os
import sys

from dagster_project.marts.unasked import without_unasked
from dagster_project.process.dagster_home import dagster_environment
from ingestion.processes.entry import run_process
from ingestion.settings import Settings


def main() -> int:
    """Serve until stopped; exit code 2 when settings or keys are wrong."""
    return run_process("dagster", __doc__, _work, arguments=_arguments)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["serve"])
    parser.add_argument("--headless", action="store_true", help="without its page")


def _work(settings: Settings, given: argparse.Namespace) -> None:
    without_unasked()
    os.environ.update(dagster_environment(settings))
    from dagster_project.process.serve import serve  # noqa: PLC0415 - Dagster reads the environment

    serve(settings, headless=given.headless)
    # Nobody waits for a pass that is cut off here, nor for a thousand modules to be taken apart.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
