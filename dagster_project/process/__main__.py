"""Dagster of a data home, guarded: `python -m dagster_project.process serve [--headless]`.

Here: nothing but the guard and the environment before Dagster is imported. Not here: the process
(`serve`).
"""

import os
import sys

from dagster_project.marts.unasked import without_unasked
from dagster_project.process.dagster_home import dagster_environment
from ingestion.processes.supervised import end_with_supervisor
from ingestion.settings import load_settings
from privacy.process_log.log import guard


def main() -> None:
    """Serve until stopped; exit code 2 when the arguments are wrong."""
    guard()
    end_with_supervisor()
    without_unasked()
    if sys.argv[1:] not in (["serve"], ["serve", "--headless"]):
        sys.stderr.write("use: python -m dagster_project.process serve [--headless]\n")
        sys.exit(2)
    settings = load_settings()
    os.environ.update(dagster_environment(settings))
    from dagster_project.process.serve import serve  # noqa: PLC0415 - Dagster reads the environment

    serve(settings, headless="--headless" in sys.argv)
    # Nobody waits for a pass that is cut off here, nor for a thousand modules to be taken apart.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
