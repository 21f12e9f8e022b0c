"""Receiver to lake: the landed assets carry the keys of dbt's sources, so lineage joins itself."""

from collections.abc import Iterator

import dagster as dg

from dagster_project.warehouse import writer_lock
from ingestion.contracts import LANDED
from ingestion.lake import compact, drain
from ingestion.settings import load_settings
from privacy.keys import KeyStore

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
        for name in [*LANDED, *_ALSO]
    ],
)
def landed(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
    """Drain the spool into hour partitions, exactly once."""
    settings = load_settings()
    keys = KeyStore.open(settings.home)
    with writer_lock(settings, context.log.info):
        report = drain(settings, keys, progress=context.log.info)
        compacted = compact(settings, keys)
    for name in [*LANDED, *_ALSO]:
        metadata = {"dagster/partition_row_count": report.landed.get(name, 0)}
        if name in LANDED:
            metadata |= {
                "duplicates": report.duplicates.get(name, 0),
                "compacted_hours": compacted,
            }
        yield dg.MaterializeResult(asset_key=["landed", name], metadata=metadata)
