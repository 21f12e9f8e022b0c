"""Dagster as one process: `python -m dagster_project.process serve`, its daemons, runs and page.

Here: how Dagster is run, for the schedule and in the foreground. Not here: what runs
(`dagster_project/defs`), what a pass leaves (`dagster_project/passes`).
"""
