"""What a fact means, as data and pure functions that both speeds read: nothing of it is written twice.

Here: identity of an item, what a request or an AI call is, histograms, error groups. Not here: where facts
are kept (`ingestion/lake`, `live_tail/window`), models (`dbt/`).
"""
