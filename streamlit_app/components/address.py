"""The address bar as the one place that holds what a page shows.

Here: reading the view from it, writing a whole new one at once, links to the same page. Not here: what a
view is (`view`), widgets (`header`). Every write is one step for the browser's back button, so a page writes
only when somebody did something, never to complete its own address.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import streamlit as st

from streamlit_app.view import FILTERS, View

_MOVED = "address moved"
_OF_VIEW = {"range", "from", "to", "tz", "compare", "q", *FILTERS}


def now() -> datetime:
    """This moment, UTC; a name of its own so that tests can set the clock."""
    return datetime.now(UTC)


def view(default: str = "1 h") -> View:
    """The view that the address names."""
    return View.of(st.query_params.to_dict(), now(), default)


def details() -> dict[str, str]:
    """What the address holds besides the view: `trace`, `group`, `sort` and what else a page knows."""
    return {k: v for k, v in st.query_params.to_dict().items() if k not in _OF_VIEW}


def go(shown: View, **changed: str | None) -> None:
    """Show another view, or details of this page; a detail of None goes. One step back undoes all."""
    kept = details() | changed
    params = shown.params() | {k: v for k, v in kept.items() if v}
    if params != st.query_params.to_dict():
        st.query_params.from_dict(params)
        st.session_state[_MOVED] = True


def has_moved() -> bool:
    """Whether a part of the page has written the address, so that the whole page must follow; once."""
    return bool(st.session_state.pop(_MOVED, False))


def here(**changed: str | None) -> str:
    """A link to this page with other details and all else as it is."""
    return _link({**st.query_params.to_dict(), **changed})


def _link(params: Mapping[str, str | None]) -> str:
    return f"?{urlencode({k: v for k, v in params.items() if v}, quote_via=quote)}"
