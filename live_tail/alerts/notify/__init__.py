"""Who is told what, when and how: routes, groups, mutes, escalation, channels, the outbox.

Here: everything between an alert and a message that arrived. Not here: whether it fires
(`live_tail/alerts/rules`, `live_tail/alerts/life`).
"""
