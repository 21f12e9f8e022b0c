"""The frame of every page: title, time range in the URL, refresh and pause, data age, states."""

import streamlit as st

from dagster_project.reporting import charts
from streamlit_app.components import alert_cards, drawing, formats
from streamlit_app.readings import performance as data
from streamlit_app.readings import source

# Below two seconds, so that an event is on the page within two in 95 of 100 cases.
_REFRESH_S = 1.5
_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def title_row(title: str, *, default_range: str = "1 h") -> int:
    """Critical alerts, then title and time range in one row; returns the range in minutes."""
    alert_cards.banner()
    left, middle, right = st.columns([3, 4, 3], vertical_alignment="center")
    left.subheader(title, anchor=False)
    given = st.query_params.get("range", default_range)
    chosen = middle.segmented_control(
        "Time range",
        list(data.RANGES),
        default=given if given in data.RANGES else default_range,
        label_visibility="collapsed",
        key=f"range-{title}",
    )
    chosen = chosen or default_range
    if st.query_params.get("range") != chosen:
        st.query_params["range"] = chosen
    with right:
        st.toggle("Pause", key="is_paused", help="Stop refreshing this page.")
    return data.RANGES[chosen]


def refresh_s() -> float | None:
    """Seconds between refreshes, or None while paused."""
    return None if st.session_state.get("is_paused") else _REFRESH_S


def data_age() -> None:
    """How old live data and marts are, and why marts are not newer when something is wrong."""
    ages = source.ages()
    live = f"live {formats.age(ages.live_age_s)}"
    marts = f"marts {formats.age(ages.marts_age_s)}"
    st.caption(f":material/schedule: {live} · {marts} · UTC")
    why = " · ".join(source.batch_problems())
    if why:
        st.caption(f":material/warning: {alert_cards.escaped(why)}")
    if ages.problem:
        st.warning(ages.problem, icon=":material/cloud_off:")


def component_filter(names: list[str]) -> str | None:
    """One component or all, kept in the URL."""
    options = ["All components", *names]
    given = st.query_params.get("component", options[0])
    if given not in options:
        options.append(given)
    chosen = st.selectbox(
        "Component", options, index=options.index(given), label_visibility="collapsed"
    )
    if chosen == options[0]:
        st.query_params.pop("component", None)
        return None
    st.query_params["component"] = chosen
    return chosen


def latency_lines(reading: source.Reading, minutes: int, *, height: int = 190) -> None:
    """The p50, p95 and p99 of a `data.latency` reading over time, or why there is none."""
    if problem(reading):
        return
    if reading.frame.empty:
        nothing_yet("requests")
        return
    names = {"p50_ms": "p50", "p95_ms": "p95", "p99_ms": "p99"}
    long = reading.frame.melt("bucket_at", list(names), "quantile", "ms").replace(names)
    drawing.lines_over_time(
        charts.with_gaps(long, series="quantile", step_s=data.step_s(minutes)),
        value="ms",
        series="quantile",
        unit="ms",
        known=list(names.values()),
        height=height,
    )


def nothing_yet(what: str) -> None:
    """The empty state: one sentence that says what would fill it."""
    receiver = source.settings().receiver
    st.caption(
        f"No {what} in this range. Send some with "
        f"`{_ENDPOINT}=http://{receiver.host}:{receiver.http_port}`."
    )


def problem(reading: source.Reading) -> bool:
    """Show why a reading failed; True when it did."""
    if reading.problem:
        st.info(reading.problem, icon=":material/info:")
    return bool(reading.problem)
