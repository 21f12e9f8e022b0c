"""Named, parameterised queries over the hot window: the whole read API of the live tail.

Here: names, parameters and SQL by subject, and running one. Not here: HTTP (`live_tail/http`), tables
(`live_tail/window/window_tables`).
"""
