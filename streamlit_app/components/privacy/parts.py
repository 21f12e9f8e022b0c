"""Parts of the Privacy page about values: what the gate did, and decisions about attributes.

Here: drawing. Not here: reading (`privacy_data`), acting (`privacy_actions`), records of expiry, releases,
audit and scans (`privacy_records`, `privacy_expiry`).
"""

import pandas as pd
import streamlit as st

from privacy.access.access_policy import Right
from privacy.detection.model_card import held_out
from privacy.site_policy import Decision
from streamlit_app.actions import privacy as privacy_actions
from streamlit_app.components import address, formats, states
from streamlit_app.readings import privacy as privacy_data
from streamlit_app.sign_in import permission

_ALL = "All treatments"
_WORDS = {
    "keep": "kept",
    "pseudonymise": "pseudonymised",
    "template": "template",
    "scrub": "skeleton",
    "drop": "dropped",
    "unknown": "undecided",
}
# What was kept back stands first; what stayed as it was is the least of an officer's questions.
_ORDER = ["unknown", "drop", "scrub", "pseudonymise", "template", "keep"]


def gate_counts(minutes: int) -> None:
    """What the gate did, by treatment and by field."""
    left, right = st.columns([5, 3])
    with left, st.container(border=True):
        _by_field(minutes)
    with right, st.container(border=True):
        _by_treatment(minutes)


def _by_field(minutes: int) -> None:
    st.markdown("**Values by field and component**")
    reading = privacy_data.decisions(minutes)
    if states.problem(reading):
        return
    if reading.frame.empty:
        states.empty("values")
        return
    narrow = st.columns(2)
    with narrow[0]:
        component = address.view("7 d").component
    options = [_ALL, *(_WORDS[t] for t in _ORDER)]
    treatment = narrow[1].selectbox("Treatment", options, label_visibility="collapsed")
    rows = narrowed(reading.frame, component, treatment)
    if rows.empty:
        st.caption("No value was treated like this: widen the component or the treatment.")
        return
    names = {
        "component": "Component",
        "signal": "Signal",
        "field": "Field",
        "treatment": "Treatment",
    }
    st.dataframe(
        rows.rename(columns={**names, "value_count": "Values"}),
        hide_index=True,
        width="stretch",
        height=420,
        column_config={
            "Values": st.column_config.NumberColumn(
                format="localized", width="small", help="What is undecided is dropped."
            ),
        },
    )


def narrowed(counts: pd.DataFrame, component: str | None, treatment: str) -> pd.DataFrame:
    """Rows of a component and a treatment (in words), what was kept back first."""
    treatments = list(counts["treatment"])
    rows = counts.assign(
        rank=[_ORDER.index(t) for t in treatments], treatment=[_WORDS[t] for t in treatments]
    )
    if component:
        rows = rows[rows["component"] == component]
    if treatment != _ALL:
        rows = rows[rows["treatment"] == treatment]
    rows = pd.DataFrame(rows).sort_values(["rank", "value_count"], ascending=[True, False])
    return pd.DataFrame(rows[["component", "signal", "field", "treatment", "value_count"]])


def _by_treatment(minutes: int) -> None:
    st.markdown("**Values by treatment**")
    counts = privacy_data.decisions(minutes).frame
    if counts.empty:
        st.caption("Nothing was counted in this range.")
        return
    st.dataframe(
        totals(counts),
        hide_index=True,
        width="stretch",
        column_config={
            "Values": st.column_config.NumberColumn(format="localized", width="small"),
            "Share": st.column_config.NumberColumn(format="%.1f %%", width="small"),
        },
    )


def totals(counts: pd.DataFrame) -> pd.DataFrame:
    """Values by treatment in words, with their share of all in percent."""
    by_treatment = counts.groupby("treatment")["value_count"].sum().reindex(_ORDER, fill_value=0)
    return pd.DataFrame(
        {
            "Treatment": [_WORDS[t] for t in _ORDER],
            "Values": by_treatment.to_numpy(),
            "Share": (100 * by_treatment / by_treatment.sum()).to_numpy(),
        }
    )


def detector(_: int) -> None:
    """Which detector texts pass, and its recall."""
    left, right = st.columns([2, 3])
    with left, st.container(border=True):
        _detector()
    with right, st.container(border=True):
        _card()


def _detector() -> None:
    st.markdown("**Detector**")
    found = privacy_data.detector()
    if found is None:
        st.caption("No batch has passed a detector yet: start the receivers with `monitor up`.")
        return
    st.markdown(f"`{found.detector_id.partition(';')[0]}`")
    st.markdown(
        f"Recall on its canaries: **{formats.percent(100 * found.canary_recall)}**  \n"
        f":gray[{canary_words(found)} In the batch of {found.seen_at:%d %b %H:%M} UTC.]"
    )


def canary_words(found: privacy_data.Detector) -> str:
    """How the canaries' recall was measured, with its interval."""
    if found.planted is None or found.low is None or found.high is None:
        return "Measured at the start of a receiver of another version: restart it."
    return (
        f"{found.planted} planted words at the start of the receiver; 95 % interval "
        f"{100 * found.low:.1f} to {100 * found.high:.1f} %."
    )


def _card() -> None:
    st.markdown("**Recall on held-out texts**")
    lines = held_out()
    if not lines:
        st.caption("Not measured: no card states it.")
        return
    rows = [
        {
            "Text": line.text,
            "Recall": f"{100 * line.recall:.1f} %",
            "95 % interval": f"{100 * line.low:.1f}\u2013{100 * line.high:.1f} %",
            "Spans": line.spans,
        }
        for line in lines
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", height="content")
    st.caption("From `privacy/detection/MODEL_CARD.md`, which says how it was measured.")


def decisions(_: int) -> None:
    """Attributes that wait, deciding about one, and what was decided."""
    decided, wrong = privacy_data.policy()
    if wrong:
        st.error(f"The policy in force is the last good one. {wrong}", icon=":material/error:")
    if note := st.session_state.pop("privacy-note", None):
        st.info(note, icon=":material/info:")
    left, right = st.columns([5, 3])
    with left, st.container(border=True):
        _waiting()
    with right, st.container(border=True):
        st.markdown("**Decided by this site**")
        if not decided:
            st.caption("Nothing yet: the shipped allow-list alone decides.")
        else:
            _decided({name: decision.value for name, decision in decided.items()})


def _waiting() -> None:
    st.markdown("**Waiting for a decision**")
    decided, _ = privacy_data.policy()
    waiting, problem = privacy_data.waiting(decided)
    if problem:
        st.info(problem, icon=":material/info:")
        return
    if not waiting:
        st.caption("No attribute waits: everything that was sent is decided.")
    else:
        rows = [
            {
                "Attribute": w.name,
                "Shape": w.shape or formats.NOT_MEASURED,
                "Values": w.value_count,
                "Components": ", ".join(w.components),
                "Signals": ", ".join(w.signals),
                "Last": w.last_at.strftime("%d %b %H h"),
            }
            for w in waiting
        ]
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            width="stretch",
            column_config={"Values": st.column_config.NumberColumn(format="localized")},
        )
    if permission.may_read(Right.ACTION, "privacy.decide"):
        _decide([w.name for w in waiting])


def _decide(names: list[str]) -> None:
    chosen = st.selectbox(
        "Attribute",
        names,
        index=None,
        accept_new_options=True,
        placeholder="an attribute of the list, or a name that you know",
    )
    buttons = {
        Decision.ALLOW: ("Allow", ":material/check:", "Numbers and words of software stay."),
        Decision.SCRUB: ("Scrub", ":material/format_strikethrough:", "A skeleton stays."),
        Decision.DROP: ("Drop", ":material/block:", "Nothing stays, and nothing waits."),
    }
    for column, (decision, (word, icon, note)) in zip(st.columns(3), buttons.items(), strict=True):
        pressed = column.button(
            word, icon=icon, help=note, width="stretch", disabled=not chosen, key=f"decide-{word}"
        )
        if pressed and chosen:
            _say(privacy_actions.choose(chosen, decision))


def _decided(decided: dict[str, str]) -> None:
    rows = pd.DataFrame(sorted(decided.items()), columns=["Attribute", "Decision"])
    st.dataframe(rows, hide_index=True, width="stretch")
    if not permission.may_read(Right.ACTION, "privacy.decide"):
        return
    name = st.selectbox("Take back", sorted(decided), index=None, placeholder="a decision")
    if st.button("Take back", icon=":material/undo:", disabled=name is None) and name:
        _say(privacy_actions.choose(name, None))


def _say(note: str) -> None:
    st.session_state["privacy-note"] = note
    st.rerun()
