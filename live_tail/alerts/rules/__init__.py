"""Rules: their files, their conditions on what was read, trends, rounds of evaluation.

Here: from a rule to what it holds true. Not here: reading (`live_tail/alerts/reading`), what becomes of it
(`live_tail/alerts/life`), the shipped rules, which are data (`live_tail/rules`).
"""
