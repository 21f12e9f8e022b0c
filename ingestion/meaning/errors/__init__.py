"""Errors: from landed spans and logs to groups that explain themselves. Pure functions.

Here: reading gated stack traces, grouping, states and their statistics; the live tail and the batch
call the same functions, so they agree. Not here: the gate (`privacy/gate/stack_skeletons`), Sentry's protocol
(`receivers/sentry`), hot tables (`live_tail/window/error_groups`), marts (`dbt/`).
"""
