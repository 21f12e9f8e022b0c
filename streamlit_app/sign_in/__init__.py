"""The app's door: who comes in, how, for how long, and Dagster's page behind it.

Here: HTTP middleware, sign-in, the check that every page makes. Not here: accounts and policy
(`privacy/access`), pages (`streamlit_app/views`).
"""
