"""Leak scans of a home: what just landed, the whole home, what is done about a leak.

Here: what is walked, and results that are kept. Not here: what a leak is (`privacy/leaks`).
"""
