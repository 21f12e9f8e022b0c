"""Parses the dbt project: `python -m dagster_project.marts.dbt_parse TARGET`.

Here: one parse, whose manifest and whose cache for later processes are left in TARGET. Not here: where
the manifest goes from there (`manifest`). The environment that `profile_environment` describes must be set.
"""

import sys
from pathlib import Path

from dagster_project.marts.dbt_run import parse_project
from privacy.process_log.log import guard


def main() -> int:
    """Exit code 1 when it does not parse."""
    guard()
    try:
        parse_project(Path(sys.argv[1]))
    except RuntimeError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
