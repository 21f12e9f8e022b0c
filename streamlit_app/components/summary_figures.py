"""The figures of the summary of a range, each named once: what it is called, how it reads, what is good news.

Here: from a row of `requests.summary` to a tile. Not here: which of them a page shows and where they lead
(`views`), drawing them (`tile`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from streamlit_app.components import formats
from streamlit_app.components.markup import State
from streamlit_app.components.tile import Tile


@dataclass(frozen=True)
class SummaryFigure:
    """A column of the summary; the period before stands in `previous_` and its name."""

    label: str
    name: str
    form: Callable[[float | None], str]
    better: Literal["up", "down", "none"] = "none"

    def tile(
        self,
        row: Mapping[str, float | None],
        link: str,
        *,
        state: State | None = None,
        spark: Sequence[float | None] = (),
    ) -> Tile:
        """The figure with its change: of a share in points, of anything else in per cent."""
        now, before = row.get(self.name), row.get(f"previous_{self.name}")
        change = formats.change(now, before, as_points=self.name.endswith("_pct"))
        return Tile(
            self.label, self.form(now), change, better=self.better, state=state, spark=spark, link=link
        )  # fmt: skip


REQUESTS = SummaryFigure("Requests", "request_per_s", lambda v: formats.number(v, "/s"))
ERRORS = SummaryFigure("Errors", "error_pct", formats.percent, "down")
P95 = SummaryFigure("p95 latency", "p95_ms", formats.duration_ms, "down")
AI_CALLS = SummaryFigure("AI calls", "ai_calls_per_min", lambda v: formats.number(v, "/min"))
TOKENS_OUT = SummaryFigure("Tokens out", "output_tokens_per_s", lambda v: formats.number(v, "/s"))
