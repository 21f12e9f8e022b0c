"""Tailing log files: which lines belong together, their dialects, OTLP records.

Here: everything between a file and OTLP logs. Not here: what stays of a text (`privacy`).
"""
