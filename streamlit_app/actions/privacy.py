"""What the privacy officer does from the app: the one place to guard.

Here: deciding about attributes, starting a scan, verifying the audit log, each with who. Not here: buttons
(`views/privacy`). Every use is an audit entry.
"""

import sqlite3

from dagster_project.leaks import runs as scan_runs
from privacy.access.access_policy import Right
from privacy.audit.audit_log import HEADS
from privacy.audit.verify import HeadProblem, read_heads, verify
from privacy.gate.allow_list import PolicyProblem
from privacy.site_policy import Decision, decide
from streamlit_app.readings import source
from streamlit_app.sign_in import doorman, permission


def choose(name: str, decision: Decision | None) -> str:
    """Decide about an attribute; None takes the decision back."""
    home = source.settings().home
    try:
        with permission.acting("privacy.decide", PolicyProblem) as who:
            decide(home, doorman.log(), actor=who.id, name=name, decision=decision)
    except PolicyProblem as problem:
        return f"Not decided: {problem}"
    done = "is undecided again" if decision is None else f"is decided: {decision.value}"
    return f"{name} {done}. Receivers apply it within seconds, to what arrives then."


def scan() -> str:
    """Start a leak scan."""
    try:
        with permission.acting("privacy.scan", scan_runs.ScanIsRunning) as who:
            scan_runs.start(source.settings(), who.id)
    except scan_runs.ScanIsRunning as problem:
        return str(problem).capitalize()
    return "The scan runs."


def verify_audit() -> tuple[bool, str]:
    """Whether the audit log is as it was written, in words."""
    permission.require_of_viewer(Right.PAGE, "privacy")
    settings = source.settings()
    places = [settings.home / HEADS, settings.audit.heads_path]
    log = doorman.log()
    try:
        found = verify(log, read_heads(log, [p for p in places if p and p.exists()]))
    except HeadProblem as problem:
        return False, str(problem)
    except sqlite3.DatabaseError as error:
        return False, f"state.db cannot be read ({type(error).__name__}): restore it from a backup."
    if found.broken:
        return False, f"Entry {found.broken.seq} {found.broken.how}: {found.broken.message}"
    return True, f"Intact: {found.entries} entries, {found.heads} exported heads agree."
