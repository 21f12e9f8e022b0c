"""Performance: where time goes, by route, model, database, socket and process."""

import math

import pandas as pd
import streamlit as st

from streamlit_app.components import drawing, formats, frame, tables
from streamlit_app.readings import performance as data
from streamlit_app.readings import source
from streamlit_app.sign_in import permission

_HEAT_BANDS_PER_DECADE = 6
_ROUTE_COLUMNS = (
    "component method route request_count error_count p50_ms p95_ms p99_ms ms_max".split()
)


def main() -> None:
    """Draw the page."""
    permission.page("performance")
    minutes = frame.title_row("Performance")
    known = data.requests(minutes, None)
    names = sorted(known.frame["component"].unique()) if len(known.frame) else []
    picked, age = st.columns([1, 3], vertical_alignment="center")
    with picked:
        component = frame.component_filter(names)
    with age:
        frame.data_age()
    _latency(minutes, component)
    _routes(minutes, component)
    left, right = st.columns(2)
    with left:
        _table("AI models", "AI calls", data.ai_models(minutes, component))
        _table("WebSockets", "WebSocket connections", data.websockets(minutes, component))
    with right:
        _table("Databases", "database operations", data.databases(minutes, component))
        _table("Processes", "process metrics", data.processes(minutes, component))


def _latency(minutes: int, component: str | None) -> None:
    left, right = st.columns(2)
    with left, st.container(border=True):
        st.markdown("**Latency distribution**")
        reading = data.heat(minutes, component)
        if frame.problem(reading):
            pass
        elif reading.frame.empty:
            frame.nothing_yet("requests")
        else:
            bands = heat_bands(reading.frame, data.step_s(minutes))
            drawing.latency_heat_map(bands)
    with right, st.container(border=True):
        st.markdown("**Latency percentiles, ms**")
        reading = data.latency(minutes, component)
        frame.latency_lines(reading, minutes, height=220)


def heat_bands(frame_: pd.DataFrame, step_s: int) -> pd.DataFrame:
    """Fine log buckets as a few bands per decade: bucket_at, bucket_end_at, low_ms, high_ms, requests."""
    band = frame_["latency_ms"].map(lambda ms: math.floor(math.log10(ms) * _HEAT_BANDS_PER_DECADE))
    banded = frame_.assign(band=band, requests=frame_["request_count"])
    by_band = banded.groupby(["bucket_at", "band"], as_index=False)
    grouped = pd.DataFrame(by_band["requests"].sum())
    return grouped.assign(
        bucket_end_at=grouped["bucket_at"] + pd.Timedelta(seconds=step_s),
        low_ms=10 ** (grouped["band"] / _HEAT_BANDS_PER_DECADE),
        high_ms=10 ** ((grouped["band"] + 1) / _HEAT_BANDS_PER_DECADE),
    )


def _routes(minutes: int, component: str | None) -> None:
    with st.container(border=True):
        st.markdown("**Routes, slowest first**")
        reading = data.routes(minutes, component)
        if frame.problem(reading):
            return
        if reading.frame.empty:
            frame.nothing_yet("requests")
            return
        shown = pd.DataFrame(reading.frame[_ROUTE_COLUMNS])
        chosen = tables.opened(
            tables.shown(shown),
            list(shown["component"]),
            key="routes",
            height=280,
            column_config=tables.column_config(list(shown.columns)),
        )
        if chosen:
            st.query_params["component"] = chosen
            st.rerun()
        _download("routes", shown)


def _table(title: str, what: str, reading: source.Reading) -> None:
    with st.container(border=True):
        st.markdown(f"**{title}**")
        if frame.problem(reading):
            return
        if reading.frame.empty:
            frame.nothing_yet(what)
            return
        # A column nobody measured is left out rather than shown empty.
        shown = reading.frame.dropna(axis="columns", how="all")
        missing = [c for c in reading.frame.columns if c not in shown.columns]
        st.dataframe(
            tables.shown(shown),
            hide_index=True,
            placeholder=formats.NOT_MEASURED,
            width="stretch",
            height=min(38 + 35 * len(shown), 250),
            column_config=tables.column_config(list(shown.columns)),
        )
        if missing:
            words = ", ".join(c.replace("_", " ") for c in missing)
            st.caption(f"{formats.NOT_MEASURED} not measured: {words}")


def _download(name: str, table: pd.DataFrame) -> None:
    csv, json, _ = st.columns([1, 1, 8])
    csv.download_button("CSV", table.to_csv(index=False), f"{name}.csv", "text/csv")
    text = table.to_json(orient="records") or "[]"
    json.download_button("JSON", text, f"{name}.json", "application/json")


main()
