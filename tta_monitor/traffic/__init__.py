"""Telemetry to try the product with: replaying captures, the demo.

Here: sending what was captured. Not here: making it up (`tta_monitor/simulator`), receiving (`ingestion`).
"""
