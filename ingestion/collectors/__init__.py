"""Our own OTLP senders: host, GPU and Prometheus. They use the same door as everybody."""
