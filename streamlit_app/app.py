"""Navigation only: which pages there are, in which order, under which task."""

import streamlit as st

from streamlit_app import data

st.set_page_config(page_title="TTA Monitor", page_icon=":material/monitoring:", layout="wide")
pages = {
    "Now": [
        st.Page("views/overview.py", title="Overview", default=True),
        st.Page("views/alerts.py", title="Alerts"),
    ],
    "Operate": [
        st.Page("views/performance.py", title="Performance"),
        st.Page("views/errors.py", title="Errors"),
    ],
}
chosen = st.navigation(pages, position="hidden")
with st.sidebar:
    st.markdown(f"**TTA Monitor**  \n:gray[{data.settings().app.environment}]")
    for task, members in pages.items():
        st.caption(task)
        for member in members:
            st.page_link(member)
chosen.run()
