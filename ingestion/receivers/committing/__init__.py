"""From Arrow to the spool: gate, limits on new values, counting, one commit for many bodies.

Here: everything between a decoded body and its acknowledgement. Not here: reading bodies
(`ingestion/receivers/decoding`), answering (`ingestion/receivers/doors`).
"""
