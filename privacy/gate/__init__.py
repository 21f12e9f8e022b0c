"""The gate: every column of every landed table is kept, typed, pseudonymised or dropped here.

Here: the allow-list, treatments of values, names of attributes, the counts of what was decided. Not here:
finding personal words in free text (`privacy/detection`), what a site's officer decided
(`privacy/site_policy`), keys (`privacy/keys`).
"""
