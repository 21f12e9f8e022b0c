"""The style sheet of the frame, sent once with each page.

Here: colours of the theme as variables, and `static/app.css`. Not here: HTML (`markup`), the script
(`sign_in/app_page`).
"""

from functools import cache
from pathlib import Path

import streamlit as st

from dagster_project.reporting.charts import DARK, LIGHT, Look

_STATIC = Path(__file__).parents[2] / "static"
_SURFACE = {"light": "#F4F7F8", "dark": "#18222A"}
# Fills under text: the state's colour, thin enough that text on it keeps its contrast.
_FILL = {"light": "#D6EAF2", "dark": "#1D3C49"}
_BAD_FILL = {"light": "#FBE9E7", "dark": "#40262A"}


def look() -> Look:
    """Colours of the theme in use."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def install() -> None:
    """Send it; a page's first element."""
    st.html(f"<style>{_variables(look())}{_sheet()}</style>")


def _variables(chosen: Look) -> str:
    values = {
        "back": chosen.background,
        "text": chosen.text, "quiet": chosen.quiet, "line": chosen.grid, "accent": chosen.accent,
        "good": chosen.ok, "warn": chosen.warning, "crit": chosen.critical, "unkn": chosen.unknown,
        "surface": _SURFACE[chosen.name], "fill": _FILL[chosen.name], "badfill": _BAD_FILL[chosen.name],
    }  # fmt: skip
    return f":root{{{''.join(f'--tta-{name}:{value};' for name, value in values.items())}}}"


@cache
def _sheet() -> str:
    return (_STATIC / "app.css").read_text()
