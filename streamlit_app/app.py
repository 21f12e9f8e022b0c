"""Navigation only: which pages there are, in which order, under which task.

Every page is routed and checks the role itself, so that asking for one by its address is refused
and noted; the sidebar names only those that the role may open.
"""

import streamlit as st

from streamlit_app import data, gate

_PAGES = {
    "Now": {"overview": "Overview", "alerts": "Alerts"},
    "Operate": {"performance": "Performance", "errors": "Errors"},
    "Account": {"privacy": "Privacy", "account": "Account"},
}
st.set_page_config(page_title="TTA Monitor", page_icon=":material/monitoring:", layout="wide")
names = [name for members in _PAGES.values() for name in members]
home = next((name for name in names if gate.may_open(name)), "account")
pages = {
    task: {
        name: st.Page(f"views/{name}.py", title=title, url_path=name)
        for name, title in members.items()
    }
    for task, members in _PAGES.items()
}


def _go_home() -> None:
    at_home = next(members[home] for members in pages.values() if home in members)
    st.switch_page(at_home, query_params=dict(st.query_params))


# Streamlit serves its default page at `/` alone; each of ours keeps its own address too.
start = st.Page(_go_home, title="Home", default=True)
routed = [page for members in pages.values() for page in members.values()]
chosen = st.navigation([start, *routed], position="hidden")
with st.sidebar:
    st.markdown(f"**TTA Monitor**  \n:gray[{data.settings().app.environment}]")
    for task, members in pages.items():
        shown = [page for name, page in members.items() if gate.may_open(name)]
        if shown:
            st.caption(task)
        for page in shown:
            st.page_link(page)
gate.banner()
chosen.run()
