"""What alerting speaks of: labels, matchers, alerts and their records, digests of error groups.

Here: values and pure functions. Not here: what happens to them (`live_tail/alerts/life`).
"""
