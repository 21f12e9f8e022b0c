"""`gate.…`: the privacy gate."""

from pydantic import Field

from ingestion.settings.section import Section


class GateSettings(Section):
    """The privacy gate."""

    canary_floor: float = Field(
        0.98,
        ge=0.5,
        le=1,
        description="Share of planted words of each type that the detector must find.",
    )
