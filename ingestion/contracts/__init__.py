"""One typed Arrow schema per landed signal: what spool rows and lake files contain.

Here: schemas and the shared column types. Not here: how a body becomes such a table
(`receivers/`), how files are laid out (`lake`), what columns mean downstream (`dbt/`).

Timestamps are UTC without zone, in microseconds (Spark refuses Parquet nanoseconds); the
exact duration stays an integer of nanoseconds. Column names follow the OpenTelemetry data
model, with `component` for `service.name`.
"""

from ingestion.contracts.gate_decisions import GATE_DECISIONS
from ingestion.contracts.ledger import LEDGER
from ingestion.contracts.log_records import LOGS
from ingestion.contracts.metric_points import METRIC_POINTS
from ingestion.contracts.spans import SPANS

SIGNALS = {"spans": SPANS, "logs": LOGS, "metric_points": METRIC_POINTS}
"""The signals that count as items; keys are the names used in paths, ledger and marts."""

COUNTS = {"ledger": LEDGER, "gate_decisions": GATE_DECISIONS}
"""What is counted about items on their way in, by hour of arrival."""

LANDED = {**SIGNALS, **COUNTS}
"""Everything the spool carries and the lake keeps."""

__all__ = [
    "COUNTS",
    "GATE_DECISIONS",
    "LANDED",
    "LEDGER",
    "LOGS",
    "METRIC_POINTS",
    "SIGNALS",
    "SPANS",
]
