"""What the libraries of a pass import and nobody ever asks of them.

Here: which modules those are. Not here: how a process does without (`ingestion/lean`,
`privacy/absent`).
"""

import sys
from functools import cache

from ingestion.lean import import_later
from privacy.absent import Absent


@cache
def without_unasked() -> None:
    """From now on this process does without them; call it before Dagster and dbt are imported."""
    # Great Expectations names them for expectations that no suite of ours has: 75 MB.
    import_later("altair", "scipy.stats")
    # dagster-dbt reads the lineage of columns with it: 40 MB.
    if "sqlglot" not in sys.modules:
        Absent("sqlglot").begin()
