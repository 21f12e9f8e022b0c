"""OTLP doors: HTTP and gRPC in, sealed batches out. Gate rules live in `privacy/`."""
