"""Prometheus rules translated: what can be said here, and what cannot, in words.

Here: PromQL read and translated. Not here: evaluating (`live_tail/alerts/rules`).
"""
