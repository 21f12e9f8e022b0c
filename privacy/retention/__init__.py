"""How long anything may live, and the receipts that it is gone.

Here: the rules and the receipts. Not here: what is deleted (`ingestion/expiry`, `dagster_project/retention`).
"""
