"""Single events as pages list them: log lines and their patterns, the tail of what happens.

Here: rows, and choices that one click changes. Not here: reading them (`streamlit_app/readings`).
"""
