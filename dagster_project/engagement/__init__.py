"""Engagement figures: which are released, from which rows, and the gate they pass.

Here: specs and the release of due days. Not here: the mechanism (`privacy/release`).
"""
