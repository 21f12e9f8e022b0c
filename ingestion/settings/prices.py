"""`prices.…`: what calls of AI models cost.

Here: prices by model. Not here: what was used (`streamlit_app/readings/ai_models`). Nothing is
shipped: prices change, and a wrong one is worse than none.
"""

from pydantic import Field

from ingestion.settings.section import Section


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
