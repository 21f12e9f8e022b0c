"""The code location: everything in `defs/`, run in one process because the warehouse has one writer.

Whatever process loads it (code server, run, `build`) is guarded from then on.
"""

from pathlib import Path

import dagster as dg

from privacy.logs import guard

guard()


@dg.definitions
def defs() -> dg.Definitions:
    """All definitions of the project."""
    loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    return dg.Definitions.merge(loaded, dg.Definitions(executor=dg.in_process_executor))
