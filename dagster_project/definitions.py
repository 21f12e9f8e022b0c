"""The code location: everything in `defs/` over one data home, run in one process because the warehouse
has one writer.

Here: putting definitions and home together. Not here: a definition (`defs/`), the process (`process/`).
Whatever process loads it (code server, run, `build`) is guarded from then on.
"""

import functools
from collections.abc import Callable
from pathlib import Path

import dagster as dg

from dagster_project.defs.dbt_models import dbt_definitions
from dagster_project.defs.home import Home
from dagster_project.defs.schedules import schedule_definitions
from privacy.process_log.log import guard

guard()


@dg.definitions
def defs() -> dg.Definitions:
    """All definitions, over the home that the environment names."""
    return _of_the_environment()


def build_defs(home: Callable[[], Home] = Home) -> dg.Definitions:
    """All definitions over a home; each run and tick asks for it anew.

    Raises SettingsProblem, and ManifestProblem when the dbt project does not parse.
    """
    first = home()
    return dg.Definitions.merge(
        dg.load_from_defs_folder(path_within_project=Path(__file__).parent),
        dbt_definitions(first.settings),
        schedule_definitions(first.settings),
        dg.Definitions(
            resources={"home": dg.ResourceDefinition(lambda _: home())},
            executor=dg.in_process_executor,
        ),
    )


@functools.cache
def _of_the_environment() -> dg.Definitions:
    """Once a process: each run asks for its job again."""
    return build_defs()
