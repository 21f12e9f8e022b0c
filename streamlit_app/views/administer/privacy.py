"""Privacy: what the gate kept out, what waits for a decision, what expired, what was released."""

from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from privacy.keys.key_store import KeyProblem
from streamlit_app.components import address, formats, frame
from streamlit_app.components.privacy import parts as privacy_parts
from streamlit_app.components.privacy import privacy_records
from streamlit_app.components.tile import Tile, tiles
from streamlit_app.readings import privacy as privacy_data
from streamlit_app.view import View

_HELP = """
What the gate kept out, what waits for a decision, what expired, what was released, and who did what.
"""
_PARTS = {
    "Gate": privacy_parts.gate_counts,
    "Decisions": privacy_parts.decisions,
    "Detector": privacy_parts.detector,
    "Expiry": privacy_records.expiry,
    "Releases": privacy_records.releases,
    "Audit": privacy_records.audit,
    "Leak scan": privacy_records.leak_scan,
}
_SCAN_WORDS = {
    "running": "running", "clean": "clean", "found": "leaks found", "blind": "cannot vouch",
    "failed": "failed",
}  # fmt: skip


def main() -> None:
    """Draw the page."""
    shown = frame.page(
        "privacy", "Privacy", filters=("component",), default_range="7 d", built_at=privacy_data.built_at,
        help=_HELP,
    )  # fmt: skip
    minutes = shown.minutes
    try:
        privacy_data.keys()
    except KeyProblem as problem:
        st.info(str(problem), icon=":material/info:")
        return
    _cards(minutes)
    given = st.query_params.get("part", "Gate")
    chosen = given if given in _PARTS else "Gate"
    st.session_state["privacy-part"] = chosen
    st.segmented_control(
        "Part", list(_PARTS), label_visibility="collapsed", key="privacy-part",
        on_change=_pick_part, args=(shown,),
    )  # fmt: skip
    _PARTS[chosen](minutes)


def _pick_part(shown: View) -> None:
    address.go(shown, part=st.session_state["privacy-part"])


def _cards(minutes: int) -> None:
    counts = privacy_data.decisions(minutes)
    waiting, problem = privacy_data.waiting(privacy_data.policy()[0])
    cards = [
        _recall(),
        _kept_out(counts.frame),
        (
            "Attributes waiting",
            formats.NOT_MEASURED if problem else f"{len(waiting):,}",
            problem or "Dropped until somebody decides: allow, scrub or drop.",
        ),
        _purge(),
        _scan(),
    ]
    tiles([Tile(label, value, note=note, missing=note) for label, value, note in cards])


def _recall() -> tuple[str, str, str]:
    found = privacy_data.detector()
    if found is None:
        return "Canary recall", formats.NOT_MEASURED, "No batch has passed a detector yet."
    return (
        "Canary recall",
        formats.percent(100 * found.canary_recall),
        privacy_parts.canary_words(found),
    )


def _kept_out(counts: pd.DataFrame) -> tuple[str, str, str]:
    label = "Changed or dropped"
    numbers = (
        list(zip(counts["treatment"], counts["value_count"], strict=True)) if len(counts) else []
    )
    total = sum(n for _, n in numbers)
    if not total:
        return label, formats.NOT_MEASURED, "No value passed the gate in this range."
    changed = sum(n for treatment, n in numbers if treatment != "keep")
    return (
        label,
        formats.percent(100 * changed / total),
        f"{changed:,} of {total:,} values did not stay as they were sent.",
    )


def _purge() -> tuple[str, str, str]:
    found = privacy_data.receipts()
    if not found:
        return "Last purge", formats.NOT_MEASURED, "Nothing has been removed yet."
    latest = found[0]
    left = latest.proof_rows + latest.proof_files
    age = formats.age(formats.seconds_since(latest.purged_at, datetime.now(UTC)))
    return "Last purge", f"{age} ago", f"{latest.rows:,} rows; still found afterwards: {left}."


def _scan() -> tuple[str, str, str]:
    found = privacy_data.scans()
    if not found:
        return "Leak scan", formats.NOT_MEASURED, "No scan has run yet."
    latest = found[0]
    age = formats.age(formats.seconds_since(latest.started_at, datetime.now(UTC)))
    return "Leak scan", _SCAN_WORDS[latest.state], f"Started {age} ago by {latest.by}."


main()
