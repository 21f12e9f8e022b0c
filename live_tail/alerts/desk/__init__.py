"""Where alerting comes together: one manager of rules, lives and notifications, and alerts about ourselves.

Here: order, commands of people, facts for the warehouse. Not here: each part's work (the rooms beside).
"""
