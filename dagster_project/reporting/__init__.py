"""Pure chart functions and exporters, shared by the app and the reports.

Here: data frame in, Altair chart out. Not here: reading data, Streamlit, Dagster.
"""
