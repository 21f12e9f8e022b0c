"""Of the last events those that are told one by one: the tail, exemplars, log lines, where a trace lies.

Here: rows in Arrow, each kind within a bound of bytes. Not here: counts and aggregates
(`live_tail/window/window_tables`), queries over them (`live_tail/window/queries`).
"""
