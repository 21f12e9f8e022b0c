"""The menu by which a table or chart is taken away. Not here: what the files hold (`actions/exports`)."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from streamlit_app.actions import exports
from streamlit_app.components.header.style import look
from streamlit_app.view import View, iso


def export_menu(
    name: str,
    frame: pd.DataFrame,
    view: View,
    *,
    chart: dict[str, Any] | None = None,
    more: Mapping[str, str] | None = None,
) -> None:
    """CSV and JSON of the frame, and a PNG of the chart (what `drawing` returned); made when clicked.

    `more` are further words on what was asked, one line each.
    """
    if not exports.may_export():
        return
    made = exports.Export(name, frame, _asked(view) | dict(more or {}))
    with st.popover(
        "", icon=":material/download:", type="tertiary", help="Export", key=f"export-{name}"
    ):
        _button(made, "CSV", made.csv, "text/csv")
        _button(made, "JSON", made.json, "application/json")
        if chart is not None:
            background = look().background
            _button(made, "PNG", lambda: made.png(chart, background), "image/png")


def _asked(view: View) -> dict[str, str]:
    return {"from": iso(view.start_at), "to": iso(view.end_at), "tz": view.zone} | view.filters


def _button(made: exports.Export, form: str, content: Callable[[], bytes], kind: str) -> None:
    st.download_button(
        form,
        exports.taking(made.name, form.lower(), lambda: made.edition, content),
        f"{made.name.replace(' ', '-')}.{form.lower()}",
        kind,
        key=f"export-{made.name}-{form}",
        type="tertiary",
        # A run of the page would take what the click asks for away while it is being made.
        on_click="ignore",
    )
