"""Tiles: one figure each, with its change, its line and where it leads.

Here: a row of them that fits a phone and a wide screen. Not here: which figures (`views`), how numbers read
(`formats`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from streamlit_app.components import formats, markup
from streamlit_app.components.header.style import look
from streamlit_app.components.markup import State


@dataclass(frozen=True)
class Tile:
    """One figure in words, as `412 /s`.

    `change` is what `formats.change` says; `better` is the direction that is good news. `spark` are
    values over time. `note` is said below; `missing` says on hover why there is no value.
    """

    label: str
    value: str
    change: str | None = None
    better: Literal["up", "down", "none"] = "none"
    state: State | None = None
    spark: Sequence[float | None] = ()
    link: str = ""
    note: str = ""
    missing: str = "Nothing was measured in this range."


def tiles(shown: Sequence[Tile]) -> None:
    """A row of tiles; what does not fit goes below."""
    st.html(f'<div class="tta-tiles">{"".join(_tile(one) for one in shown)}</div>')


def _tile(one: Tile) -> str:
    is_missing = one.value == formats.NOT_MEASURED
    hover = f' title="{markup.text(one.missing)}"' if is_missing else ""
    words = (
        markup.link(one.label, one.link, kind="tta-whole") if one.link else markup.text(one.label)
    )
    state = f" tta-{one.state}" if one.state else ""
    pill = markup.pill(one.state) if one.state and one.state != "ok" else ""
    note = f'<div class="tta-note">{markup.text(one.note)}</div>' if one.note else ""
    return (
        f'<div class="tta-tile{state}"><div class="tta-label">{words}{pill}</div>'
        f'<div class="tta-value"{hover}>{markup.text(one.value)}{_change(one)}</div>{note}'
        f"{markup.spark(one.spark, _line(one))}</div>"
    )


def _line(one: Tile) -> str:
    colours = look()
    named = {"critical": colours.critical, "down": colours.critical, "warning": colours.warning}
    return named.get(one.state or "", colours.unknown)


def _change(one: Tile) -> str:
    if not one.change:
        return ""
    is_up = not one.change.startswith("-")
    is_still = one.change.lstrip("+-").startswith(("0 ", "0.0 "))
    news = (
        "flat"
        if is_still or one.better == "none"
        else "good"
        if is_up == (one.better == "up")
        else "bad"
    )
    # A real minus, as wide as the plus.
    signed = one.change.replace("-", "\u2212")
    words = markup.text(signed)
    return f'<span class="tta-change tta-{news}" title="against the period before">{words}</span>'
