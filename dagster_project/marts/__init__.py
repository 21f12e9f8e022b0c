"""From the lake to published marts: what a pass sees, dbt, checks, the one writer, publishing.

Here: everything between landed files and the copies that people read. Not here: models (`dbt/`), when it
runs (`dagster_project/defs`), expiry (`dagster_project/retention`).
"""
