"""Reading the hot window for rules: metrics, facts, histograms, seasons, SQL within limits.

Here: from what a rule selects to values by labels. Not here: whether they fulfil a condition
(`live_tail/alerts/rules`), what the window holds (`live_tail/window`).
"""
