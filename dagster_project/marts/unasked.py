"""What the libraries of a pass import and nobody ever asks of them.

Here: which modules those are. Not here: how a process does without (`ingestion/processes/lean`,
`privacy/detection/vocabulary/absent`).
"""

import multiprocessing.dummy
import sys
from functools import cache

from dbt import mp_context
from ingestion.processes.lean import import_later
from privacy.detection.vocabulary.absent import Absent


@cache
def without_unasked() -> None:
    """From now on this process does without them; call it before Dagster and dbt are imported."""
    # Great Expectations names them for expectations that no suite of ours has: 75 MB.
    import_later("altair", "scipy.stats")
    # dagster-dbt reads the lineage of columns with it: 40 MB.
    if "sqlglot" not in sys.modules:
        Absent("sqlglot").begin()
    # dbt's manifests and connections hold locks of processes, which Python watches over with one of
    # 14 MB; ours are used by threads of one process.
    mp_context._MP_CONTEXT = multiprocessing.dummy  # type: ignore[assignment]
