"""Scraping Prometheus targets: jobs, expositions, relabelling, samples as OTLP.

Here: everything between a scrape configuration and OTLP metrics. Not here: log files
(`ingestion/collectors/log_files`), this machine (`ingestion/collectors/machine`).
"""
