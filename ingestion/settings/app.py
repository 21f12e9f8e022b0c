"""`app.…`: the Streamlit app."""

from pydantic import Field

from ingestion.settings.section import Section


class AppSettings(Section):
    """The Streamlit app."""

    host: str = Field("127.0.0.1", description="Address the app listens on.")
    hosts: list[str] = Field(
        default_factory=list,
        description="Further names under which browsers reach the app; addresses need none.",
    )
    port: int = Field(8501, ge=1, le=65535, description="Port of the app.")
    environment: str = Field("development", description="Name shown beside the product.")
