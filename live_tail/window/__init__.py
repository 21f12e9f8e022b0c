"""The hot window: following the spool, tables in memory, minutes, error groups, named queries.

Here: what is known of the last minutes and hours. Not here: rows of its tables (`rows`), alerts
(`live_tail/alerts`), HTTP (`live_tail/http`), what facts mean (`ingestion/meaning`).
"""
