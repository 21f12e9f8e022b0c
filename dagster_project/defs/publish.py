"""Published copies: what people read, swapped in whole when the marts are good."""

from datetime import timedelta

import dagster as dg

from dagster_project.defs.home import InHome
from dagster_project.marts.warehouse import audience_marts, publish
from ingestion.lake.duck import AUDIENCES


def _published(audience: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=["published", audience],
        group_name="published",
        deps=[
            *(["marts", mart] for mart in sorted(audience_marts(audience))),
            *([["released", "engagement"]] if audience == "engagement" else []),
        ],
        kinds={"duckdb"},
        description=f"The {audience} audience's encrypted copy of its marts, with a key of its own.",
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=timedelta(hours=2), warn_window=timedelta(minutes=30)
        ),
    )
    def copy(context: dg.AssetExecutionContext, home: InHome) -> dg.MaterializeResult:
        with home.writing(context.log.info):
            done = publish(home.settings, home.keys(), audience)
        return dg.MaterializeResult(
            metadata={"tables": done.tables, "dagster/row_count": done.rows, "bytes": done.bytes}
        )

    return copy


operations, engagement, privacy = (_published(audience) for audience in AUDIENCES)
