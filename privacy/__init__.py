"""What may be kept: keys, pseudonyms, the typed allow-list, detection and the gate.

This package imports nothing else of ours. Whatever is written, logged, forwarded or cached
has passed it. Moving bytes belongs to `ingestion/`, meaning to `dbt/`.
"""
