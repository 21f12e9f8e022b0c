"""What landed rows become in the tables of the hot window: columns of Arrow, without Python objects between.

Here: from a batch to rows of one table or another. Not here: the tables and their time
(`live_tail/window`), what names mean (`ingestion/meaning`).
"""
