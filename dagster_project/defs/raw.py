"""Receiver to lake: the landed assets carry the keys of dbt's sources, so lineage joins itself."""

from collections.abc import Iterator

import dagster as dg

from dagster_project.defs.home import InHome
from ingestion.contracts import LANDED
from ingestion.lake.compaction import compact
from ingestion.lake.drain import drain
from ingestion.lake.plan_run import DrainReport
from ingestion.processes import passes

RECEIVER = dg.AssetKey(["receiver", "otlp"])
_ALSO = (
    "metric_points_context",
    "dirty_hours",
    "new_parts",
    "touched_minutes",
    "horizon",
    "error_occurrences",
    "error_hours",
    "error_parts",
    "error_states",
)

receiver = dg.AssetSpec(
    RECEIVER,
    group_name="raw",
    description="Acknowledged batches in the sealed spool, written by the receivers.",
)


# What dbt sees besides: made of the same files when it opens the lake, and counted nowhere.
also = [
    dg.AssetSpec(["landed", name], group_name="raw", deps=[["landed", "spans"], ["landed", "logs"]])
    for name in _ALSO
]


@dg.multi_asset(
    name="landed",
    group_name="raw",
    specs=[
        dg.AssetSpec(
            ["landed", name],
            deps=[RECEIVER],
            description=f"Hour partitions of {name} in the encrypted lake.",
            kinds={"parquet"},
        )
        for name in LANDED
    ],
)
def landed(context: dg.AssetExecutionContext, home: InHome) -> Iterator[dg.MaterializeResult]:
    """Drain the spool into hour partitions, exactly once."""
    keys = home.keys()
    with home.writing(context.log.info):
        report = drain(home.settings, keys, progress=context.log.info)
        compacted = compact(home.settings, keys)
    passes.note(home.settings.home, set_aside=_told(report))
    for name in LANDED:
        yield dg.MaterializeResult(
            asset_key=["landed", name],
            metadata={
                "dagster/partition_row_count": report.landed.get(name, 0),
                "duplicates": report.duplicates.get(name, 0),
                "compacted_hours": compacted,
            },
        )


def _told(report: DrainReport) -> str:
    """What `status` says of rows that could not be landed."""
    if not report.set_aside_batches:
        return ""
    return f"{report.set_aside_rows} rows in {report.set_aside_batches} batches cannot be landed"
