"""What leaves the lake and the spool: by age, by component, by person.

Here: finding and deleting it. Not here: the rules and receipts (`privacy/retention`), marts
(`dagster_project/retention`).
"""
