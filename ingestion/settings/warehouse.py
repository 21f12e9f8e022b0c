"""`warehouse.…`: drain, dbt, publishing."""

from pydantic import Field

from ingestion.settings.section import Section


class WarehouseSettings(Section):
    """Batch side: drain, dbt, publish."""

    plan_rows: int = Field(
        1_000_000,
        ge=1,
        description="Rows drained in one plan at most: they lie in memory together.",
    )
    spool_keep_minutes: int = Field(
        75, description="How long drained rows stay for the live window."
    )
    build_every_minutes: int = Field(5, ge=1, le=59, description="Schedule of the batch pass.")
    keep_runs: int = Field(100, ge=1, description="Dagster runs whose events are kept.")
    memory_limit: str = Field("2GB", description="DuckDB memory limit of the batch pass.")
