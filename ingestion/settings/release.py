"""`release.…` and `reports.…`: what is published of engagement, and what is passed on of everything.

Here: both. Which reports there are lies in `dagster_project/reporting/kinds`.
"""

from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from ingestion.settings.section import Section


class ReleaseSettings(Section):
    """Publishing engagement figures."""

    epsilon_per_28_days: float = Field(
        6.3, gt=0, description="Privacy budget per person in any 28 days, over all marts."
    )
    allow_k_anonymity: bool = Field(
        False, description="Whether marts may ask for k-anonymity, which states no epsilon."
    )


class ReportSettings(Section):
    """Which reports are made by themselves, in whose days, and who gets them."""

    kinds: list[str] = Field(
        default_factory=lambda: ["*"],
        description='Reports that are made by themselves, by name; `"*"` is every one.',
    )
    zone: str = Field("UTC", description="IANA zone in whose days, weeks and months reports count.")
    objective_pct: float = Field(
        99.5, gt=0, lt=100, description="Share of requests that must be answered, percent."
    )
    deliver: dict[str, list[Path]] = Field(
        default_factory=dict,
        description="Files of mode 0600 with an address each, by report; `*` is every other one.",
    )

    @field_validator("zone")
    @classmethod
    def _zone_is_known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("it must be an IANA zone such as UTC or Europe/Berlin") from None
        return zone
