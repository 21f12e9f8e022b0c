"""Passes seen from outside Dagster: whether there is anything to do, and how one ended.

Here: cheap looks and records. Not here: running (`dagster_project/process`).
"""
