"""From the spool to sealed, bound, partitioned Parquet, and back into DuckDB.

Here: draining, the catalog, binding files to their place, the archive, repeats, what is set aside, opening
DuckDB. Not here: how long files live (`ingestion/expiry`), what rows mean (`dbt/`).
"""
