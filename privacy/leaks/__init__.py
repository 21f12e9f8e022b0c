"""The independent detector: looks for personal words where none may be, and sees its own made-up leaks.

Here: what a leak looks like and how a text is looked through. Not here: which files and tables are walked
(`ingestion/lake/stored_texts`, `dagster_project/leaks`), the gate, whose code it shares none of.
"""
