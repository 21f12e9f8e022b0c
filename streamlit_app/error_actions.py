"""What people decide about error groups from the app: the one place to guard.

Here: resolve, mute, reopen, assign, merge, split, each with who. Not here: buttons (`views/errors`).
"""

from ingestion.errors.hand_rules import HandRuleProblem
from ingestion.errors.store import ErrorStore, NoSuchGroup
from privacy.access import Right
from streamlit_app import gate


def person(verb: str, key: str) -> str:
    """Who acts, after the check that the role may; the audit log keeps who did what to which group."""
    return gate.require_of_viewer(Right.ACTION, "errors.change", verb=verb, group=key).id


def resolve(store: ErrorStore, key: str, release: str) -> str:
    """Resolved in a release; empty takes the last one seen."""
    record = store.resolve(key, person("resolve", key), release or None)
    return f"Resolved in {record.resolved_in or 'no named release'}."


def mute(store: ErrorStore, key: str) -> str:
    """Counted, told to nobody."""
    store.mute(key, person("mute", key))
    return "Muted."


def reopen(store: ErrorStore, key: str) -> str:
    """Open again."""
    store.reopen(key, person("reopen", key))
    return "Open again."


def assign(store: ErrorStore, key: str, name: str) -> str:
    """Somebody looks after it."""
    record = store.assign(key, person("assign", key), name)
    return f"Assigned to {record.assignee or 'nobody'}."


def merge(store: ErrorStore, key: str, into: str) -> str:
    """Count as another group; what is wrong comes back as the sentence to show."""
    try:
        counted = store.merge([key], into, person("merge", key))
    except (HandRuleProblem, NoSuchGroup) as problem:
        return str(problem)
    return f"Counts as {counted} from now on."


def split(store: ErrorStore, key: str, dimension: str) -> str:
    """Divide by a dimension from the next error on."""
    try:
        store.split(key, dimension, person("split", key))
    except HandRuleProblem as problem:
        return str(problem)
    return f"Split by {dimension} from the next error on."
