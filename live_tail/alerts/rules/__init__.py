"""Rules: their files, their conditions over the hot window, trends and seasons, rounds of evaluation.

Here: from a rule to what it holds true. Not here: what becomes of it (`live_tail/alerts/life`), the shipped
rules, which are data (`live_tail/rules`).
"""
