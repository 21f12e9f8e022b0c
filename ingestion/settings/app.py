"""`app.…` and `prices.…`: the Streamlit app, and what it takes calls of AI models to cost.

Here: both. Nothing is shipped as a price: prices change, and a wrong one is worse than none.
"""

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


class ModelPrice(Section):
    """Prices of one model, for a million tokens."""

    input: float = Field(ge=0, description="A million input tokens.")
    output: float = Field(ge=0, description="A million output tokens.")
    cached: float | None = Field(
        None, ge=0, description="A million input tokens read from a cache; as others unless told."
    )


class PriceSettings(Section):
    """What calls of AI models cost."""

    currency: str = Field("USD", min_length=1, max_length=10, description="What prices are in.")
    models: dict[str, ModelPrice] = Field(
        default_factory=dict, description="Prices by model, by the name under which it is called."
    )
