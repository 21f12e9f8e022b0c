"""How a home lies on disk: files replaced whole, locks, watched files, databases.

Here: what every module does alike that writes into a home. Not here: what is written, which lies with
its owner, and keys (`privacy/keys`).
"""
