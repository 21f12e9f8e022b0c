"""TTA traffic through the real OpenTelemetry SDK, seeded, for the demo, tests and benchmarks."""
