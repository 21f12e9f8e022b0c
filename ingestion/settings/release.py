"""`release.…`: publishing engagement figures."""

from pydantic import Field

from ingestion.settings.section import Section


class ReleaseSettings(Section):
    """Publishing engagement figures."""

    epsilon_per_28_days: float = Field(
        6.3, gt=0, description="Privacy budget per person in any 28 days, over all marts."
    )
    allow_k_anonymity: bool = Field(
        False, description="Whether marts may ask for k-anonymity, which states no epsilon."
    )
