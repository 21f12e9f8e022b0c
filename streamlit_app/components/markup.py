"""HTML that components are made of: text that stays text, links, symbols, small lines, status pills.

Here: pure functions from values to HTML. Not here: sending it (`st.html` in each component), the style
sheet (`header/style`). Whatever comes from outside passes `text`; nothing else may be put between tags.
"""

import html
import math
from collections.abc import Sequence
from typing import Literal
from urllib.parse import quote

State = Literal["ok", "degraded", "warning", "down", "critical", "unknown", "info"]
# Symbols of the icon font that Streamlit brings along; a word always stands beside one.
_SYMBOLS: dict[str, str] = {
    "ok": "check_circle",
    "degraded": "warning",
    "warning": "warning",
    "down": "cancel",
    "critical": "error",
    "unknown": "help",
    "info": "info",
}
_WIDTH, _HEIGHT = 96, 22


def text(value: object) -> str:
    """The value as text between tags or in an attribute."""
    return html.escape(str(value), quote=True)


def plain(words: str) -> str:
    """Words for a place that reads Markdown, which leaves them as they are."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>$:#~" else c for c in words)


def symbol(name: str) -> str:
    """A symbol of the icon font; readers of the screen hear the word beside it instead."""
    return f'<span class="tta-icon" aria-hidden="true">{text(name)}</span>'


def link(words: str, address: str, *, title: str = "", kind: str = "") -> str:
    """A link within the app, in the same tab."""
    hover = f' title="{text(title)}"' if title else ""
    shape = f' class="{text(kind)}"' if kind else ""
    return f'<a href="{text(address)}" target="_self"{shape}{hover}>{text(words)}</a>'


def pill(state: State, words: str = "") -> str:
    """A state as colour, symbol and word."""
    return (
        f'<span class="tta-pill tta-{text(state)}">{symbol(_SYMBOLS[state])}'
        f"<span>{text(words or state)}</span></span>"
    )


def spark(values: Sequence[float | None], colour: str, *, label: str = "") -> str:
    """A small line, zero-based; what nobody measured is a gap. Empty below two known values.

    A picture inside its address: markup that is sent keeps no drawing of its own.
    """
    known = [v for v in values if v is not None and not math.isnan(v)]
    if len(known) < 2:
        return ""
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'preserveAspectRatio="none"><path d="{_path(values, max(*known, 1e-12))}" fill="none" '
        f'stroke="{text(colour)}" stroke-width="1.5" vector-effect="non-scaling-stroke"/></svg>'
    )
    return f'<img class="tta-spark" alt="{text(label)}" src="data:image/svg+xml,{quote(drawn)}">'


def _path(values: Sequence[float | None], top: float) -> str:
    across = _WIDTH / (len(values) - 1)
    path, is_down = "", False
    for place, value in enumerate(values):
        if value is None or math.isnan(value):
            is_down = False
            continue
        y = _HEIGHT - 2 - max(value, 0) / top * (_HEIGHT - 4)
        path += f"{'L' if is_down else 'M'}{place * across:.1f} {y:.1f}"
        is_down = True
    return path


def legend(names: Sequence[str], colours: Sequence[str]) -> str:
    """Names with their colours; as many in a line as fit."""
    told = "".join(
        f'<span><i style="--tta-series:{text(colour)}"></i>{text(name)}</span>'
        for name, colour in zip(names, colours, strict=True)
    )
    return f'<div class="tta-legend">{told}</div>'


def bar(share: float | None, words: str, *, is_bad: bool = False) -> str:
    """A number over a bar of its share of the largest, 0 to 1."""
    width = 0.0 if share is None or math.isnan(share) else max(0.0, min(share, 1.0))
    colour = " tta-bad" if is_bad else ""
    return (
        f'<span class="tta-bar{colour}"><i style="width:{100 * width:.1f}%"></i>'
        f"<span>{text(words)}</span></span>"
    )
