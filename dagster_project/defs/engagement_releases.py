"""Releases: once a day, what the release gate publishes about engagement."""

import dagster as dg

from dagster_project.defs.home import InHome


@dg.asset(
    key=["released", "engagement"],
    group_name="engagement",
    deps=[["landed", "spans"], ["landed", "logs"]],
    description="Days that are over, each published once by the release gate; see the ledger.",
)
def released_engagement(context: dg.AssetExecutionContext, home: InHome) -> dg.MaterializeResult:
    """Release what is due; a refusal (budget) is an audit entry and stops nothing else."""
    # OpenDP and SciPy take seconds to import, and most runs release nothing.
    from dagster_project.engagement.active_players import release_due  # noqa: PLC0415

    with home.writing(context.log.info):
        done = release_due(home.settings, home.keys(), home.now())
    return dg.MaterializeResult(
        metadata={
            "released": sum(not outcome.refused for outcome in done),
            "refused": sum(bool(outcome.refused) for outcome in done),
        }
    )
