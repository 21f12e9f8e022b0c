"""A code location that does not load."""

raise ValueError("what somebody wrote")
