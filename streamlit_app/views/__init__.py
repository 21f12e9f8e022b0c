"""One file per page; each reads through `streamlit_app/readings` and draws."""
