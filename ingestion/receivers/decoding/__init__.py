"""From a body to Arrow: protobuf and JSON, compression, budgets, flattening.

Here: reading what was sent, within limits. Not here: the gate and the spool
(`ingestion/receivers/committing`), HTTP and gRPC (`ingestion/receivers/doors`).
"""
