"""Colours and fonts of charts, light and dark.

Here: the tokens, which colour a name has, what every chart is finished with. Not here: axes, marks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

MAX_SERIES = 6
OTHER = "other"
FONT = "Inter, sans-serif"


@dataclass(frozen=True)
class Look:
    """Colours of one theme."""

    name: str
    text: str
    quiet: str
    grid: str
    accent: str
    ok: str
    warning: str
    critical: str
    unknown: str
    background: str
    heat: tuple[str, str]
    series: tuple[str, ...]


LIGHT = Look(
    "light", "#16222B", "#55636E", "#DCE4E8", "#0F6E84", "#1B7F4B", "#9A5B00", "#B3261E", "#5B6670",
    "#FFFFFF", ("#E3F1F6", "#0F6E84"),
    ("#1E9ECE", "#DB7A1A", "#7E1BD6", "#849760", "#750E25", "#0C1C5E"),
)  # fmt: skip
DARK = Look(
    "dark", "#E6EDF2", "#B7C4CE", "#2B3944", "#58C4DB", "#5CCB8E", "#F2B04A", "#FF8A80", "#9AA7B2",
    "#10171D", ("#17303A", "#72F5FA"),
    ("#72F5FA", "#B28A44", "#9B5FFA", "#C2FA5F", "#FA6D94", "#406DA9"),
)  # fmt: skip


def colour_of(name: str, known: Sequence[str], look: Look) -> str:
    """A name's colour is its place among all known names, so it never changes."""
    if name == OTHER:
        return look.quiet
    order = {known_name: place for place, known_name in enumerate(sorted(known))}
    return look.series[order.get(name, len(order)) % MAX_SERIES]


def colour_scale(names: Sequence[str], known: Sequence[str], look: Look) -> alt.Scale:
    """Colours by name."""
    return alt.Scale(domain=list(names), range=[colour_of(n, known, look) for n in names])


def legend(names: Sequence[str], look: Look, *, symbol: str = "stroke") -> alt.Legend | None:
    """A legend above the chart that fits 320 px, as a phone has; None for a single series."""
    if len(names) < 2:
        return None
    # A symbol and a gap take 30 px, a letter 6.6.
    longest = min(max(len(n) for n in names), 44)
    return alt.Legend(
        orient="top",
        title=None,
        symbolType=symbol,
        symbolStrokeWidth=3,
        symbolOpacity=1,
        offset=6,
        labelColor=look.quiet,
        labelLimit=290,
        columns=max(1, min(len(names), int(320 // (longest * 6.6 + 30)))),
    )


def finished(chart: Any, look: Look, height: int | None) -> Any:
    """The chart as wide as its place, on no background, in the product's font."""
    sized = chart.properties(width="container")
    sized = sized.properties(height=height) if height else sized
    return (
        sized.configure(
            background="transparent", font=FONT, autosize=alt.AutoSizeParams(type="fit")
        )
        .configure_view(stroke=None)
        .configure_axis(labelFontSize=12, labelFont=FONT, labelColor=look.quiet)
        .configure_legend(labelFontSize=12, labelFont=FONT, titleFont=FONT)
        .configure_text(font=FONT)
    )
