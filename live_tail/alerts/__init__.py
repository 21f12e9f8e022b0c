"""Alerts: rules are evaluated, alerts live, people are told (Alertmanager's words).

Here: rules and their evaluation, the life of an alert, grouping, inhibition, silences, escalation,
notification. Not here: the hot tables (`live_tail/window/window`), error groups (`ingestion/meaning/errors`),
pages (`streamlit_app`). Rule files are data in `live_tail/rules`.
"""
