"""What people keep in the app, each with right and audit entry.

Not here: the tables (`streamlit_app/saved`).
"""

from collections.abc import Mapping
from datetime import datetime

import streamlit as st

from privacy.access.access_policy import Right
from streamlit_app.saved import Annotation, SavedStore, SavedView
from streamlit_app.sign_in import doorman, permission

KEEP, SHARE, ANNOTATE = "views.keep", "views.share", "annotations.change"


@st.cache_resource
def store() -> SavedStore:
    """The store of the data home, once per process."""
    return SavedStore(doorman.settings().home, doorman.keys())


def may(action: str) -> bool:
    """Whether whoever looks may."""
    return permission.may_read(Right.ACTION, action)


def views() -> list[SavedView]:
    """Own and shared views of pages that whoever looks may open."""
    seen_by = permission.who()
    if seen_by is None:
        return []
    return [one for one in store().views(seen_by.id) if permission.may_open(one.page)]


def keep_view(name: str, page: str, params: Mapping[str, str], *, is_shared: bool) -> str:
    """Keep the view under a name; what happened, in words. Raises ValueError."""
    with permission.acting(SHARE if is_shared else KEEP, ValueError, page=page) as who:
        made = store().keep_view(who.id, name, page, params, is_shared=is_shared)
    return f"Kept as “{made.name}”."


def forget_view(view: SavedView) -> str:
    """Remove a view; a shared one of somebody else needs the right to share."""
    with permission.acting(SHARE if view.is_shared else KEEP, page=view.page) as who:
        is_gone = store().forget("saved_views", view.id, who.id, anybodys=view.is_shared)
    return "Removed." if is_gone else "It was removed already."


def annotations(start_at: datetime, end_at: datetime) -> list[Annotation]:
    """Notes in a range, for whoever sees operations pages."""
    return store().annotations(start_at, end_at)


def annotate(at: datetime, words: str) -> str:
    """Note what happened at a moment. Raises ValueError."""
    with permission.acting(ANNOTATE, ValueError) as who:
        made = store().annotate(who.id, at, words)
    return f"Noted: {made.words}"


def forget_annotation(note: Annotation) -> str:
    """Remove a note."""
    with permission.acting(ANNOTATE) as who:
        is_gone = store().forget("annotations", note.id, who.id, anybodys=True)
    return "Removed." if is_gone else "It was removed already."
