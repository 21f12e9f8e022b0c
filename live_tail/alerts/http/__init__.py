"""Alerts over HTTP: our routes and Alertmanager's v2.

Here: requests and answers. Not here: what a command does (`live_tail/alerts/desk`).
"""
