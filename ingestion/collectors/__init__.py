"""Our own OTLP senders: host, GPU, log files and Prometheus. They use the same door as everybody.

Here: what they share: what they know of their home, sending to its receiver. Not here: what is collected
(the rooms below).
"""
