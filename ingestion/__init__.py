"""How facts arrive: receivers, collectors, the durable spool and the lake's files.

What belongs here: settings, the typed schema of every landed signal, OTLP receivers,
collectors (each an OTLP sender), spool and lake. What does not: deciding what may be kept
(`privacy/`), anything that runs on a schedule (`dagster_project/`), live state (`live_tail/`).
"""
