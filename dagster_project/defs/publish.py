"""Published copies: what people read, swapped in whole when the marts are good."""

from datetime import timedelta

import dagster as dg

from dagster_project.defs.dbt_models import marts
from dagster_project.run_history import forget_old_runs
from dagster_project.warehouse import publish, writer_lock
from ingestion.settings import load_settings
from privacy.keys import KeyStore

_MARTS = [key for key in marts.keys if key.path[0] == "marts"]


@dg.asset(
    key=["published", "operations"],
    group_name="published",
    deps=_MARTS,
    kinds={"duckdb"},
    freshness_policy=dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=2), warn_window=timedelta(minutes=30)
    ),
)
def operations(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """The operations audience's encrypted copy of the marts."""
    settings = load_settings()
    with writer_lock(settings, context.log.info):
        done = publish(settings, KeyStore.open(settings.home), "operations")
    forget_old_runs(context.instance, settings.warehouse.keep_runs)
    return dg.MaterializeResult(
        metadata={"tables": done.tables, "dagster/row_count": done.rows, "bytes": done.bytes}
    )
