"""Dagster's daemon and web page, guarded: `python -m dagster_project daemon|webserver …`.

Here: nothing but the guard before Dagster's own entry points. Not here: the code location and runs,
which `definitions` guards in whatever process loads it.
"""

import sys

from privacy.logs import guard


def main() -> None:
    """Hand over to Dagster's command line; exit code 2 when the process is not named."""
    guard()
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name == "daemon":
        from dagster._daemon.cli import main as run  # noqa: PLC0415 - seconds to import
    elif name == "webserver":
        from dagster_webserver.cli import main as run  # noqa: PLC0415 - seconds to import
    else:
        sys.stderr.write("name the process: python -m dagster_project daemon|webserver\n")
        sys.exit(2)
    sys.argv = [f"dagster-{name}", *sys.argv[2:]]
    run()


if __name__ == "__main__":
    main()
