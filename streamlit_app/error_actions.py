"""What people decide about error groups from the app: the one place to guard.

Here: resolve, mute, reopen, assign, merge, split, each with who. Not here: buttons (`views/errors`).
"""

from ingestion.errors.hand_rules import HandRuleProblem
from ingestion.errors.store import ErrorStore, NoSuchGroup
from privacy.access import Right
from streamlit_app import gate


def person() -> str:
    """Who acts, after the check that the role may."""
    return gate.require_of_viewer(Right.ACTION, "errors.change").id


def resolve(store: ErrorStore, key: str, release: str) -> str:
    """Resolved in a release; empty takes the last one seen."""
    record = store.resolve(key, person(), release or None)
    return f"Resolved in {record.resolved_in or 'no named release'}."


def mute(store: ErrorStore, key: str) -> str:
    """Counted, told to nobody."""
    store.mute(key, person())
    return "Muted."


def reopen(store: ErrorStore, key: str) -> str:
    """Open again."""
    store.reopen(key, person())
    return "Open again."


def assign(store: ErrorStore, key: str, name: str) -> str:
    """Somebody looks after it."""
    record = store.assign(key, person(), name)
    return f"Assigned to {record.assignee or 'nobody'}."


def merge(store: ErrorStore, key: str, into: str) -> str:
    """Count as another group; what is wrong comes back as the sentence to show."""
    try:
        return f"Counts as {store.merge([key], into, person())} from now on."
    except (HandRuleProblem, NoSuchGroup) as problem:
        return str(problem)


def split(store: ErrorStore, key: str, dimension: str) -> str:
    """Divide by a dimension from the next error on."""
    try:
        store.split(key, dimension, person())
    except HandRuleProblem as problem:
        return str(problem)
    return f"Split by {dimension} from the next error on."
