"""Published copies: what people read, swapped in whole when the marts are good."""

from datetime import timedelta

import dagster as dg

from dagster_project.defs.dbt_models import marts
from dagster_project.marts.warehouse import audience_marts, publish, writer_lock
from ingestion.lake.duck import AUDIENCES
from ingestion.settings import load_settings
from privacy.keys.store import KeyStore

_MARTS = [key for key in marts.keys if key.path[0] == "marts"]


def _published(audience: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=["published", audience],
        group_name="published",
        deps=[
            *(key for key in _MARTS if key.path[-1] in audience_marts(audience)),
            *([dg.AssetKey(["released", "engagement"])] if audience == "engagement" else []),
        ],
        kinds={"duckdb"},
        description=f"The {audience} audience's encrypted copy of its marts, with a key of its own.",
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=timedelta(hours=2), warn_window=timedelta(minutes=30)
        ),
    )
    def copy(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        settings = load_settings()
        with writer_lock(settings, context.log.info):
            done = publish(settings, KeyStore.open(settings.home), audience)
        return dg.MaterializeResult(
            metadata={"tables": done.tables, "dagster/row_count": done.rows, "bytes": done.bytes}
        )

    return copy


operations, engagement, privacy = (_published(audience) for audience in AUDIENCES)
