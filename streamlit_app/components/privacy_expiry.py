"""Parts of the Privacy page about what goes: how long what is kept, what goes next, proof of what went.

Here: drawing. Not here: reading (`streamlit_app/readings/privacy`), what expires when
(`privacy/retention`).
"""

from datetime import timedelta

import pandas as pd
import streamlit as st

from ingestion.expiry.plan import Doomed
from privacy.retention.retention_policy import Policy
from streamlit_app.components import formats
from streamlit_app.readings import privacy as privacy_data


def expiry(_: int) -> None:
    """How long what is kept, what goes next, and proof of what went."""
    rules, doomed, wrong = privacy_data.retention()
    if rules is None:
        st.error(wrong, icon=":material/error:")
        return
    left, right = st.columns([4, 5])
    with left, st.container(border=True):
        st.markdown("**Retention**")
        rows = [
            (name, age_words(age), _archived(rules, name))
            for name, age in rules.purge_after.items()
        ]
        st.dataframe(
            pd.DataFrame(rows, columns=["Dataset", "Kept for", "Archived after"]),
            hide_index=True,
            width="stretch",
            height="content",
        )
    with right:
        with st.container(border=True):
            st.markdown("**Goes with the next purge**")
            if not doomed:
                st.caption("Nothing is due in spool, lake and keys.")
            else:
                _doomed(doomed)
        with st.container(border=True):
            st.markdown("**Receipts**")
            _receipts()


def age_words(age: timedelta | None) -> str:
    """`14 d`, `48 h`, `13 months`; kept for good when there is no age."""
    if age is None:
        return "for good"
    hours = int(age.total_seconds() // 3_600)
    if hours <= 48 or hours % 24:
        return f"{hours} h"
    days = hours // 24
    return f"{days // 30} months" if days > 60 and not days % 30 else f"{days} d"


def _archived(rules: Policy, name: str) -> str:
    age = rules.archive_after.get(name)
    return "" if age is None else age_words(age)


def _doomed(doomed: list[Doomed]) -> None:
    rows = [
        {
            "Rule": d.rule,
            "Does": d.action,
            "Before (UTC)": d.purged_before.strftime("%Y-%m-%d %H:%M"),
            "Partitions": len(d.files),
            "Rows": d.rows,
            "MB": None if d.bytes is None else d.bytes / 1e6,
            "Keys": len(d.key_ids),
        }
        for d in doomed
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        width="stretch",
        placeholder=formats.NOT_MEASURED,
        column_config=_NUMBERS,
    )
    st.caption(
        "Rows of marts, whose file only the batch side opens, are shown by `retention plan`."
    )


_NUMBERS = {
    "Rows": st.column_config.NumberColumn(format="localized"),
    "MB": st.column_config.NumberColumn(format="%.1f"),
}


def _receipts() -> None:
    found = privacy_data.receipts()
    if not found:
        st.caption("No purge has run yet: the first one is at 00:10 UTC.")
        return
    rows = [
        {
            "Purged (UTC)": r.purged_at.strftime("%Y-%m-%d %H:%M"),
            "Rule": r.rule,
            "Rows": r.rows,
            "MB": None if r.bytes is None else r.bytes / 1e6,
            "Keys": len(r.keys_destroyed),
            "Still found": r.proof_rows + r.proof_files,
        }
        for r in found
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        width="stretch",
        height=260 if len(rows) > 6 else "auto",
        placeholder=formats.NOT_MEASURED,
        column_config=_NUMBERS,
    )
    if any(row["Still found"] for row in rows):
        st.error(
            "A purge left something behind: run `retention apply` again, and report it if it stays.",
            icon=":material/error:",
        )
