"""Dagster of a data home, guarded: `python -m dagster_project serve [--headless]`.

Here: nothing but the guard and the environment before Dagster is imported. Not here: the process
(`serve`).
"""

import os
import sys

from dagster_project.dagster_home import dagster_environment
from dagster_project.unasked import without_unasked
from ingestion.settings import load_settings
from ingestion.supervised import end_with_supervisor
from privacy.logs import guard


def main() -> None:
    """Serve until stopped; exit code 2 when the arguments are wrong."""
    guard()
    end_with_supervisor()
    without_unasked()
    if sys.argv[1:] not in (["serve"], ["serve", "--headless"]):
        sys.stderr.write("use: python -m dagster_project serve [--headless]\n")
        sys.exit(2)
    settings = load_settings()
    os.environ.update(dagster_environment(settings))
    from dagster_project.serve import serve  # noqa: PLC0415 - Dagster reads the environment

    serve(settings, headless="--headless" in sys.argv)
    # Nobody waits for a pass that is cut off here, nor for a thousand modules to be taken apart.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
