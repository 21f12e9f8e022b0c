"""Navigation only: which pages there are, in which order, under which task.

Every page is routed and checks the role itself, so that asking for one by its address is refused
and noted; the sidebar names only those that the role may open. Links between pages carry the range.
"""

from pathlib import Path

import streamlit as st

from dagster_project.process.page_rules import PREFIX
from streamlit_app.components import address, markup
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
pages = {
    name: st.Page(f"views/{name}.py", title=title, url_path=name)
    for members in [*_PAGES.values(), _BY_ADDRESS]
    for name, title in members.items()
    if (_HERE / "views" / f"{name}.py").exists()
}
allowed = {name for name in pages if permission.may_open(name)}


def _go_home() -> None:
    home = next((name for name in _STARTS if name in allowed), "account")
    st.switch_page(pages[home], query_params=dict(st.query_params))


def _sidebar() -> None:
    carried = address.view().carried()
    with st.sidebar:
        st.caption(doorman.settings().app.environment)
        for task, members in _PAGES.items():
            shown = [name for name in members if name in allowed]
            is_dagster = task == "Operate" and permission.may_open(DAGSTER)
            if not shown and not is_dagster:
                continue
            st.html(f'<div class="tta-group">{markup.text(task)}</div>')
            for name in shown:
                st.page_link(pages[name], query_params=carried)
            if is_dagster:
                st.html(f'<div class="tta-out">{markup.link("Dagster", PREFIX)}</div>')


# Streamlit serves its default page at `/` alone; each of ours keeps its own address too.
start = st.Page(_go_home, title="Home", default=True)
chosen = st.navigation([start, *pages.values()], position="hidden")
theme = "dark" if st.context.theme.type == "dark" else "light"
st.logo(_STATIC / f"logo-{theme}.png", icon_image=_STATIC / "icon.png", size="large")
_sidebar()
permission.banner()
chosen.run()
