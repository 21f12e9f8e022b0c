"""Thin Dagster definitions: keys, dependencies and schedules around functions that live elsewhere.

Here: definitions, and the home as the resource that they are handed. Not here: putting them together for
a home (`dagster_project/definitions`), what they do.
"""
