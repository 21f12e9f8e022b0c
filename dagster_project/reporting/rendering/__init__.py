"""One document in four formats with the same numbers: PDF, HTML, CSV, JSON.

Here: how a document looks and reads. Not here: what it says (`document`, `kinds`), where it lies (`keeping`).
What is drawn is drawn once (`drawn_charts`): PDF and HTML show the same vectors.
"""
