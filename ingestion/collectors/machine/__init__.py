"""This machine as metrics: host, GPU, processes.

Here: reading it. Not here: sending (`ingestion/collectors/__main__`).
"""
