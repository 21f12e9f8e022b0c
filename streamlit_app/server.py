"""The app's server: Streamlit behind a door that only a signed-in session passes.

Here: the ASGI application that `streamlit run` starts, and what is logged of an error. Not here:
signing in (`entrance`) and pages (`app`, `views`). Nothing of the app, its websocket and its downloads
included, is reachable without a session; which page a role may see is checked in each page again.
"""

import logging
from urllib.parse import urlsplit

import streamlit as st
from starlette.middleware import Middleware
from streamlit.starlette import App

from ingestion.doors.known_hosts import KnownHosts
from ingestion.processes.supervised import end_with_supervisor
from ingestion.settings import load_settings
from privacy.process_log.log import guard, logger
from streamlit_app.sign_in import doorman
from streamlit_app.sign_in.app_page import AppPage
from streamlit_app.sign_in.batch_page import BatchPage
from streamlit_app.sign_in.door import Door
from streamlit_app.sign_in.entrance import routes

guard()
end_with_supervisor()

# Streamlit writes every uncaught exception with its message and frames; `note_error` replaces that.
logging.getLogger("streamlit.error_util").addFilter(lambda _: False)
_log = logger()


def note_error(error: BaseException) -> bool:
    """Log the type alone: message and frames could quote data."""
    _log.error("page failed", cause=type(error).__name__)
    st.error(
        "This page failed. The type of the error is in the app's log: `./tta.sh monitor status` names it.",
        icon=":material/error:",
    )
    return True


def _names() -> list[str]:
    """What the app is called, besides its addresses."""
    chosen = load_settings()
    public = urlsplit(chosen.access.oidc.app_url).hostname or ""
    return [chosen.app.host, *chosen.app.hosts, public]


# Where a request comes from is judged by the door, which knows the forms of our pages.
hosts = Middleware(
    KnownHosts,
    names=_names(),
    setting="app.hosts",
    judges_origin=False,
    note=doorman.turn_away,
)
app = App(
    "app.py",
    routes=routes(),
    middleware=[hosts, Middleware(Door), Middleware(BatchPage), Middleware(AppPage)],
    on_script_error=note_error,
)
