"""Parts of the Privacy page about records: expiry with receipts, releases, audit log, leak scans.

Here: drawing. Not here: reading (`privacy_data`), acting (`privacy_actions`).
"""

from datetime import UTC, datetime, timedelta
from typing import cast

import pandas as pd
import streamlit as st

from dagster_project.leaks.home_scan import ScanReport
from dagster_project.leaks.runs import ScanRun
from ingestion.expiry.doomed import Doomed
from privacy.access.access_policy import Right
from privacy.audit.audit_log import Outcome
from privacy.keys.key_store import KeyStore, utc_today
from privacy.retention.retention_policy import Policy
from streamlit_app.actions import privacy as privacy_actions
from streamlit_app.components import formats
from streamlit_app.readings import privacy as privacy_data
from streamlit_app.readings import source
from streamlit_app.sign_in import permission

_REFRESH_S = 2.0
_FAMILIES = {
    "Everything": "",
    "Sign-ins and access": "access.",
    "Decisions, erasures, scans": "privacy.",
    "Retention": "retention.",
    "Releases": "release.",
    "Keys": "keys.",
    "Alerts": "alerts.",
    "The log itself": "audit.",
}
_OUTCOMES = ["Any outcome", "done", "refused", "failed"]
_STEPS = (
    "another build", "looking", "reading the spool", "reading the lake", "reading state", "reading every",
)  # fmt: skip
_SCAN_WORDS = {
    "running": ":material/progress_activity: running",
    "clean": ":green[:material/check_circle: clean]",
    "found": ":red[:material/error: personal data found]",
    "blind": ":orange[:material/visibility_off: cannot vouch for its answer]",
    "failed": ":orange[:material/cancel: failed]",
}


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


def releases(_: int) -> None:
    """What published engagement figures cost each person."""
    permission.require_of_viewer(Right.PAGE, privacy_data.PAGE)
    # OpenDP and SciPy take seconds to import, once in a process.
    from privacy.release import LedgerProblem, ReleaseLedger, statement  # noqa: PLC0415

    settings = source.settings()
    ledger = ReleaseLedger(settings.home, KeyStore.open(settings.home))
    try:
        entries = ledger.checked_entries()
    except LedgerProblem as problem:
        st.error(str(problem), icon=":material/error:")
        return
    found = statement(entries, settings.release.epsilon_per_28_days, utc_today())
    with st.container(border=True):
        st.markdown("**Privacy budget per person and 28 days**")
        cards = [
            ("Spent, epsilon", f"{found.spent:g} of {found.budget:g}"),
            ("Left, epsilon", f"{found.left:g}"),
            ("Fullest 28 days, epsilon", f"{found.most:g}"),
            ("Releases", f"{len(entries):,}"),
        ]
        for column, (label, value) in zip(st.columns(len(cards)), cards, strict=True):
            column.metric(label, value, border=True)
        st.markdown(found.text)
    with st.container(border=True):
        st.markdown("**Ledger**")
        if not entries:
            st.caption("Nothing was released yet: engagement marts write here once per period.")
            return
        rows = [
            {
                "Released (UTC)": e.released_at[:16].replace("T", " "),
                "Mart": e.mart,
                "Period": e.period,
                "Mechanism": e.mechanism.replace("_", " "),
                "Epsilon": None if e.micro_epsilon is None else e.micro_epsilon / 1e6,
                "Result digest": e.result_digest[:12],
            }
            for e in reversed(entries)
        ]
        st.dataframe(
            pd.DataFrame(rows), hide_index=True, width="stretch", placeholder=formats.NOT_MEASURED
        )


def audit(_: int) -> None:
    """Who did what, searched; and whether the log is as it was written."""
    with st.container(border=True):
        one, two, three, four = st.columns([3, 3, 2, 2], vertical_alignment="bottom")
        family = one.selectbox("Action", list(_FAMILIES))
        actor = two.text_input("Actor", placeholder="user:u_… or os:owner")
        outcome = three.selectbox("Outcome", _OUTCOMES)
        if four.button("Verify the log", icon=":material/verified:", width="stretch"):
            is_intact, words = privacy_actions.verify_audit()
            (st.success if is_intact else st.error)(words)
        chosen = None if outcome == _OUTCOMES[0] else cast(Outcome, outcome)
        found = privacy_data.entries(_FAMILIES[family], actor.strip(), chosen)
        if not found:
            st.caption("No entry matches: widen the action, the actor or the outcome.")
            return
        rows = [
            {
                "No.": e.seq,
                "Time (UTC)": e.at.strftime("%Y-%m-%d %H:%M:%S"),
                "Actor": e.actor,
                "Action": e.action,
                "Target": e.target or formats.NOT_MEASURED,
                "Outcome": e.outcome,
                "Details": ", ".join(f"{k} {v}" for k, v in e.details.items()),
            }
            for e in found
        ]
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            width="stretch",
            height=480 if len(rows) > 12 else "auto",
        )
        if len(found) == privacy_data.MOST_ENTRIES:
            st.caption(f"The newest {privacy_data.MOST_ENTRIES} entries that match.")


def leak_scan(_: int) -> None:
    """One click, progress, result."""
    with st.container(border=True):
        text, button = st.columns([5, 2], vertical_alignment="center")
        text.markdown(
            "**Leak scan**  \n:gray[An independent detector reads every stored text and every byte of "
            "the home, after it has found the leaks that it planted itself.]"
        )
        is_running = any(s.state == "running" for s in privacy_data.scans()[:1])
        pressed = permission.may_read(Right.ACTION, "privacy.scan") and button.button(
            "Scan now", icon=":material/search:", width="stretch", disabled=is_running,
        )  # fmt: skip
        if pressed:
            st.toast(privacy_actions.scan())
            is_running = True
        st.fragment(_scans, run_every=_REFRESH_S if is_running else None)(was_running=is_running)


def _scans(*, was_running: bool) -> None:
    found = privacy_data.scans()
    if not found:
        st.caption("No scan has run yet.")
        return
    latest = found[0]
    if was_running and latest.state != "running" and latest.ended_at:
        age = formats.seconds_since(latest.ended_at, datetime.now(UTC)) or 0.0
        if age < 2 * _REFRESH_S:
            st.rerun()
    st.markdown(f"{_SCAN_WORDS[latest.state]} · {latest.started_at:%Y-%m-%d %H:%M} UTC")
    if latest.state == "running":
        st.progress(_progress(latest.step), text=(latest.step or "starting").capitalize())
    elif latest.report is None:
        st.caption(f"It ended without a result ({latest.cause}): scan again.")
    else:
        _report(latest.report)
    if len(found) > 1:
        _earlier(found[1:])


def _progress(step: str) -> float:
    place = next((i for i, s in enumerate(_STEPS) if step.startswith(s)), 0)
    return (place + 1) / (len(_STEPS) + 1)


def _report(report: ScanReport) -> None:
    for medium in report.blind:
        st.warning(f"The scan is blind in {medium}.", icon=":material/visibility_off:")
    for place in report.unread:
        st.warning(f"Not read: {place}.", icon=":material/visibility_off:")
    st.caption(
        f"{report.texts:,} stored texts and {report.files:,} files ({report.bytes / 1e6:,.0f} MB) in "
        f"{report.duration_s:.0f} s; {report.planted:,} planted leaks looked for."
    )
    if report.findings:
        rows = [{"Place": f.place, "Kind": f.kind, "Count": f.count} for f in report.findings]
        st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")


def _earlier(found: list[ScanRun]) -> None:
    st.markdown("**Earlier scans**")
    rows = [
        {
            "Started (UTC)": s.started_at.strftime("%Y-%m-%d %H:%M"),
            "Result": s.state,
            "Findings": sum(f.count for f in s.report.findings) if s.report else None,
            "By": s.by,
        }
        for s in found
    ]
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, width="stretch", placeholder=formats.NOT_MEASURED
    )
