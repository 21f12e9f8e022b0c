"""`errors.…`: error groups."""

from typing import Literal

from pydantic import Field

from ingestion.settings.section import Section


class ErrorSettings(Section):
    """Error groups."""

    grouping_version: Literal["g1", "g2"] = Field("g1", description="How error keys are made.")
