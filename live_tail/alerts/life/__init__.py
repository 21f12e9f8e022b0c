"""The life of an alert: pending, firing, resolved, and what is remembered of it.

Here: transitions and their store. Not here: conditions (`live_tail/alerts/rules`), telling people
(`live_tail/alerts/notify`).
"""
