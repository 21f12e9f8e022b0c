"""Where senders come in: OTLP over HTTP and gRPC, Sentry envelopes, one port for all.

Here: protocols, authority, answers. Not here: reading bodies (`ingestion/receivers/decoding`), storing
(`ingestion/receivers/committing`).
"""
