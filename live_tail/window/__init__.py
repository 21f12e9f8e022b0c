"""The hot window: following the spool, tables in memory, minutes, evidence, named queries.

Here: what is known of the last minutes and hours. Not here: alerts (`live_tail/alerts`), HTTP
(`live_tail/http`), what facts mean (`ingestion/meaning`).
"""
