"""`audit.…`: the audit log."""

from pathlib import Path

from pydantic import Field

from ingestion.settings.section import Section


class AuditSettings(Section):
    """The audit log."""

    heads_path: Path | None = Field(
        None, description="A second folder for the daily head, out of reach of who writes state.db."
    )
