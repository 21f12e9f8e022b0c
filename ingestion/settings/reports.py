"""`reports.…`: which reports are made by themselves, in whose days, and who gets them."""

from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from ingestion.settings.section import Section


class ReportSettings(Section):
    """Reports by schedule."""

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
