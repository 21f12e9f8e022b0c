"""Navigation only: which pages there are, in which order, under which task.

Every page is routed and checks the role itself, so that asking for one by its address is refused
and noted; the sidebar names only those that the role may open.
"""

from pathlib import Path

import streamlit as st

from dagster_project.process.page_rules import PREFIX
from streamlit_app.sign_in import doorman, permission
from streamlit_app.sign_in.batch_page import PAGE as DAGSTER

_STATIC = Path(__file__).parent / "static"
_PAGES = {
    "Now": {"overview": "Overview", "alerts": "Alerts"},
    "Operate": {"performance": "Performance", "errors": "Errors"},
    "Account": {"privacy": "Privacy", "account": "Account"},
}
# No `page_icon`: browsers would ask fonts.gstatic.com for a Material one. `entrance` serves ours.
st.set_page_config(page_title="TTA Monitor", layout="wide")
names = [name for members in _PAGES.values() for name in members]
allowed = {name for name in names if permission.may_open(name)}
home = next((name for name in names if name in allowed), "account")
pages = {
    task: [
        st.Page(
            f"views/{name}.py",
            title=title,
            url_path=name,
            visibility="visible" if name in allowed else "hidden",
        )
        for name, title in members.items()
    ]
    for task, members in _PAGES.items()
}


def _go_home() -> None:
    at_home = next(p for members in pages.values() for p in members if p.url_path == home)
    st.switch_page(at_home, query_params=dict(st.query_params))


# Streamlit serves its default page at `/` alone; each of ours keeps its own address too.
start = st.Page(_go_home, title="Home", default=True, visibility="hidden")
chosen = st.navigation({"": [start], **pages}, expanded=True)
theme = "dark" if st.context.theme.type == "dark" else "light"
st.logo(_STATIC / f"logo-{theme}.png", icon_image=_STATIC / "icon.png", size="large")
st.sidebar.caption(doorman.settings().app.environment)
if permission.may_open(DAGSTER):
    link = f'<a href="{PREFIX}" target="_self">Dagster</a>'
    st.sidebar.markdown(f":material/account_tree: {link}", unsafe_allow_html=True)
permission.banner()
chosen.run()
