"""The pages, a room for each task; one file per page, which asks `streamlit_app/readings` and draws."""
