"""Navigation only: which pages there are, in which order, under which task.

Every page is routed and checks the role itself, so that asking for one by its address is refused
and noted; the sidebar names only those that the role may open. Links between pages carry the range.
"""

from pathlib import Path
from urllib.parse import urlencode

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from dagster_project.process.page_rules import PREFIX
from streamlit_app.components import address, markup
from streamlit_app.page_files import FILES
from streamlit_app.sign_in import doorman, permission
from streamlit_app.sign_in.batch_page import PAGE as DAGSTER

_HERE = Path(__file__).parent
_STATIC = _HERE / "static"
_PAGES = {
    "Now": {"overview": "Overview", "live": "Live", "alerts": "Alerts"},
    "Operate": {
        "performance": "Performance",
        "traces": "Traces",
        "ai_models": "AI models",
        "databases": "Databases",
        "websockets": "WebSockets",
        "errors": "Errors",
        "logs": "Logs",
        "service_map": "Service map",
        "health": "Health",
    },
    "Explore": {"explore": "Explore"},
    "Learn": {"engagement": "Engagement", "carbon": "Carbon"},
    "Account": {
        "reports": "Reports",
        "privacy": "Privacy",
        "settings": "Settings",
        "account": "Account",
    },
}
# Opened by its address: every component in every state.
_BY_ADDRESS = {"gallery": "Gallery"}
_STARTS = ("overview", "privacy", "engagement", "explore", "account")

# No `page_icon`: browsers would ask fonts.gstatic.com for a Material one. `entrance` serves ours.
st.set_page_config(page_title="TTA Monitor", layout="wide")
existing = [name for members in _PAGES.values() for name in members if name in FILES]
allowed = {name for name in existing if permission.may_open(name)}


def _page(name: str, title: str, *, is_shown: bool) -> StreamlitPage:
    visibility = "visible" if is_shown else "hidden"
    return st.Page(FILES[name], title=title, url_path=name, visibility=visibility)


pages = {
    task: [_page(n, title, is_shown=n in allowed) for n, title in members.items() if n in existing]
    for task, members in _PAGES.items()
}
by_address = [_page(name, title, is_shown=False) for name, title in _BY_ADDRESS.items()]


def _go_home() -> None:
    home = next((name for name in _STARTS if name in allowed), "account")
    there = next(p for members in pages.values() for p in members if p.url_path == home)
    st.switch_page(there, query_params=dict(st.query_params))


def _sidebar() -> None:
    """`app.js` sends who follows a link of the navigation on with what `tta-carried` holds."""
    carried = urlencode(address.view().carried())
    with st.sidebar:
        st.html(f'<i class="tta-carried" data-query="{markup.text(carried)}"></i>')
        st.caption(doorman.settings().app.environment)
        if permission.may_open(DAGSTER):
            st.html(f'<div class="tta-out">{markup.link("Dagster", PREFIX)}</div>')


# Streamlit serves its default page at `/` alone; each of ours keeps its own address too.
start = st.Page(_go_home, title="Home", default=True, visibility="hidden")
chosen = st.navigation(
    {"": [start, *by_address], **{t: p for t, p in pages.items() if p}}, expanded=True
)
theme = "dark" if st.context.theme.type == "dark" else "light"
st.logo(_STATIC / f"logo-{theme}.png", icon_image=_STATIC / "icon.png", size="large")
_sidebar()
permission.banner()
chosen.run()
