"""Thin Dagster definitions: keys, dependencies and schedules around functions that live elsewhere."""
