"""The audit log: sealed entries in a chain that shows if one is missing or was changed.

Here: appending, reading and verifying. Not here: who may do what (`privacy/access`), when something is
worth an entry: whoever does it says so.
"""
