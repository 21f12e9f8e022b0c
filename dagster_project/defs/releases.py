"""Releases: once a day, what the release gate publishes about engagement."""

from datetime import UTC, datetime

import dagster as dg

from dagster_project.marts.warehouse import writer_lock
from ingestion.settings import load_settings
from privacy.keys.store import KeyStore


@dg.asset(
    key=["released", "engagement"],
    group_name="engagement",
    deps=[["landed", "spans"], ["landed", "logs"]],
    description="Days that are over, each published once by the release gate; see the ledger.",
)
def released_engagement(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Release what is due; a refusal (budget) is an audit entry and stops nothing else."""
    # OpenDP and SciPy take seconds to import, and most runs release nothing.
    from dagster_project.engagement.active_players import release_due  # noqa: PLC0415

    settings = load_settings()
    keys = KeyStore.open(settings.home)
    with writer_lock(settings, context.log.info):
        done = release_due(settings, keys, datetime.now(UTC).replace(tzinfo=None))
    return dg.MaterializeResult(
        metadata={
            "released": sum(not outcome.refused for outcome in done),
            "refused": sum(bool(outcome.refused) for outcome in done),
        }
    )
