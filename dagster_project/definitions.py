"""The code location: everything in `defs/`, run in one process because the warehouse has one writer.

Whatever process loads it (code server, run, `build`) is guarded from then on.
"""

import functools
from pathlib import Path

import dagster as dg

from privacy.process_log.log import guard

guard()


@dg.definitions
def defs() -> dg.Definitions:
    """All definitions of the project."""
    return _loaded()


@functools.cache
def _loaded() -> dg.Definitions:
    """Once a process: each run asks for its job again."""
    loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    return dg.Definitions.merge(loaded, dg.Definitions(executor=dg.in_process_executor))
