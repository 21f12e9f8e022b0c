"""Rules tried before they are trusted: unit tests in promtool's form, back-tests, simulated incidents.

Here: running rules over made-up or past time. Not here: evaluating (`live_tail/alerts/rules`).
"""
