"""`retention.…`: how long what is kept."""

from pathlib import Path

from pydantic import Field

from ingestion.settings.section import Section


class RetentionSettings(Section):
    """How long what is kept; the shipped rules are `privacy/retention/retention.yaml`."""

    rules: dict[str, str | dict[str, str]] = Field(
        default_factory=dict,
        description="What differs from the shipped rules, by dataset or dataset/component.",
    )
    archive_path: Path | None = Field(
        None, description="Where archived partitions lie; empty is `<home>/archive`."
    )
