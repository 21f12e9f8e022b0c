"""Dagster's own run history is bounded: each run leaves megabytes of events behind.

Here: which runs go. Not here: the facts' expiry (`privacy/retention`). The instance is passed in,
so that nothing here imports Dagster.
"""

from typing import Any


def forget_old_runs(instance: Any, keep: int) -> int:
    """Delete finished runs beyond the newest `keep` with their events; returns how many went."""
    old = [run for run in instance.get_runs()[keep:] if run.is_finished]
    for run in old:
        instance.delete_run(run.run_id)
    return len(old)
