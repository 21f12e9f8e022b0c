"""`live.…`: the live tail and its API."""

from pydantic import Field

from ingestion.settings.section import Section


class LiveSettings(Section):
    """The live tail."""

    host: str = Field("127.0.0.1", description="Address of the live query API.")
    port: int = Field(4320, ge=1, le=65535, description="Port of the live query API.")
    hosts: list[str] = Field(
        default_factory=list, description="Further names under which the live API is asked."
    )
    window_minutes: int = Field(60, ge=1, description="How far back the live window reaches.")
    poll_ms: int = Field(
        100, ge=10, le=1_000, description="How often it is asked whether anything was committed."
    )
    fresh_ms: int = Field(
        500,
        ge=0,
        le=5_000,
        description="A reader sees whatever was committed longer ago than this.",
    )
