"""Log records; bodies are skeletons, never raw lines."""

import pyarrow as pa

from ingestion.contracts.common import ATTRIBUTES, ORIGIN, TIME

LOGS = pa.schema(
    [
        pa.field(
            "event_at", TIME, nullable=False
        ),  # event time, else observed time, else received_at
        pa.field("observed_at", TIME),
        pa.field("severity_number", pa.int32(), nullable=False),  # 0 = unspecified
        pa.field("severity_text", pa.string()),
        pa.field("event_name", pa.string()),
        pa.field("body", pa.string()),
        pa.field("trace_id", pa.binary()),
        pa.field("span_id", pa.binary()),
        *ORIGIN,
        pa.field("attributes", ATTRIBUTES, nullable=False),
    ]
)
