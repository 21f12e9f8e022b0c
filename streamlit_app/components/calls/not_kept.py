"""A trace that cannot be shown: why, and what would keep one.

Here: sentences with the limits in force. Not here: keeping (`live_tail/window/recent`,
`dbt/models/marts/traces`).
"""

import streamlit as st

from privacy.retention.retention_policy import load_policy
from streamlit_app.components import formats, markup, states
from streamlit_app.readings import source
from streamlit_app.readings.source import Reading
from streamlit_app.view import View


def no_id(text: str, view: View) -> None:
    """What was asked for is no trace id."""
    states.failed(
        f"“{text[:80]}” is no trace id: one has 32 hexadecimal digits. Copy the whole id."
    )
    st.html(markup.link("All traces", view.link("traces")))


def not_kept(trace_id: str, reading: Reading, view: View) -> None:
    """No span of a trace is known: why, and what would keep it."""
    if states.problem(reading):
        st.caption(
            "Where the live tail or the published copy does not answer, a trace cannot be found."
        )
        return
    states.empty("spans of this trace", "It is not kept. That has one of these reasons:")
    st.markdown("\n".join(f"- {reason}" for reason in reasons()))
    st.markdown("**What keeps a trace**\n" + "\n".join(f"- {way}" for way in ways()))
    st.html(
        f'<p class="tta-quiet">Trace {markup.text(trace_id)} · '
        f"{markup.link('all traces', view.link('traces'))}</p>"
    )


def reasons() -> list[str]:
    """Why a trace may not be there."""
    window = formats.age(60.0 * source.settings().live.window_minutes)
    return [
        f"It is older than the live window, which holds whole traces for {window}, and it was neither among "
        "the slowest nor among those that failed.",
        f"It is older than the {_days()} for which spans are kept.",
        "Its component did not send it: its sampler left it out, or it sends to another place.",
        "It came within the last seconds: open the page again.",
    ]


def ways() -> list[str]:
    """What would have kept it."""
    return [
        "It is among the slowest three, or the slowest three that failed, of its route, model or statement "
        "in its ten minutes. Traces of errors are kept with their group.",
        "Its component sends every trace: `OTEL_TRACES_SAMPLER=parentbased_always_on`.",
        "`live.window_minutes` is longer, for traces that are neither slow nor failed.",
        f"`retention.rules` keeps spans for longer than {_days()}.",
    ]


def _days() -> str:
    age = load_policy(source.settings().retention.rules).purge_after["spans"]
    return "whole time" if age is None else f"{age.days} d"
