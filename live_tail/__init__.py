"""What is happening now: the in-memory window over the spool and its read-only query API."""
