"""Spans with their events and links."""

import pyarrow as pa

from ingestion.contracts.common import ATTRIBUTES, ORIGIN, TIME

EVENT = pa.struct([("event_at", TIME), ("name", pa.string()), ("attributes", ATTRIBUTES)])
LINK = pa.struct([("trace_id", pa.binary()), ("span_id", pa.binary()), ("attributes", ATTRIBUTES)])

SPANS = pa.schema(
    [
        pa.field("trace_id", pa.binary(), nullable=False),  # 16 bytes
        pa.field("span_id", pa.binary(), nullable=False),  # 8 bytes
        pa.field("parent_span_id", pa.binary()),  # null at a root
        pa.field("name", pa.string(), nullable=False),
        pa.field(
            "kind", pa.string(), nullable=False
        ),  # INTERNAL SERVER CLIENT PRODUCER CONSUMER UNSPECIFIED
        pa.field("start_at", TIME, nullable=False),
        pa.field("duration_ns", pa.int64(), nullable=False),  # end minus start, 0 if less
        pa.field("status_code", pa.string(), nullable=False),  # UNSET OK ERROR
        pa.field("status_message", pa.string()),
        *ORIGIN,
        pa.field("attributes", ATTRIBUTES, nullable=False),
        pa.field("events", pa.list_(EVENT), nullable=False),
        pa.field("links", pa.list_(LINK), nullable=False),
    ]
)
