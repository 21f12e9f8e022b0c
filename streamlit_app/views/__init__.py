"""The pages, a room for each task; one file per page, which reads through `streamlit_app/readings` and draws."""
