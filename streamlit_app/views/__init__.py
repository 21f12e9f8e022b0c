"""One file per page; each reads through `streamlit_app.data` and draws."""
