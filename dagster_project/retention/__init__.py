"""What leaves the marts, and the daily pass that carries out every expiry.

Here: rows of marts, erasure of a person everywhere, the day's pass. Not here: rules and receipts
(`privacy/retention`), the lake (`ingestion/expiry`).
"""
