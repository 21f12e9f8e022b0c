"""What people decide about error groups from the app: the one place to guard.

Here: resolve, mute, reopen, assign, merge, split, each with who. Not here: buttons (`views/errors`).
"""

from contextlib import AbstractContextManager

from ingestion.meaning.errors.group_store import ErrorStore, NoSuchGroup
from ingestion.meaning.errors.hand_rules import HandRuleProblem
from privacy.access.access_policy import Principal
from streamlit_app.sign_in import permission


def deciding(verb: str, key: str) -> AbstractContextManager[Principal]:
    """Around a decision: who acts, if the role may; the audit log keeps who did what to which group."""
    refusals = (HandRuleProblem, NoSuchGroup)
    return permission.acting("errors.change", *refusals, verb=verb, group=key)


def resolve(store: ErrorStore, key: str, release: str) -> str:
    """Resolved in a release; empty takes the last one seen."""
    with deciding("resolve", key) as who:
        record = store.resolve(key, who.id, release or None)
    return f"Resolved in {record.resolved_in or 'no named release'}."


def mute(store: ErrorStore, key: str) -> str:
    """Counted, told to nobody."""
    with deciding("mute", key) as who:
        store.mute(key, who.id)
    return "Muted."


def reopen(store: ErrorStore, key: str) -> str:
    """Open again."""
    with deciding("reopen", key) as who:
        store.reopen(key, who.id)
    return "Open again."


def assign(store: ErrorStore, key: str, name: str) -> str:
    """Somebody looks after it."""
    with deciding("assign", key) as who:
        record = store.assign(key, who.id, name)
    return f"Assigned to {record.assignee or 'nobody'}."


def merge(store: ErrorStore, key: str, into: str) -> str:
    """Count as another group; what is wrong comes back as the sentence to show."""
    try:
        with deciding("merge", key) as who:
            counted = store.merge([key], into, who.id)
    except (HandRuleProblem, NoSuchGroup) as problem:
        return str(problem)
    return f"Counts as {counted} from now on."


def split(store: ErrorStore, key: str, dimension: str) -> str:
    """Divide by a dimension from the next error on."""
    try:
        with deciding("split", key) as who:
            store.split(key, dimension, who.id)
    except HandRuleProblem as problem:
        return str(problem)
    return f"Split by {dimension} from the next error on."
