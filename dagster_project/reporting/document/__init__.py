"""A report as data: verdict, five figures, charts, tables, method, over one period.

Here: the model that every format is rendered from, and periods. Not here: which reports there are
(`kinds`), how one looks (`rendering`), DuckDB, Altair, Dagster.
"""
