"""What the gate did with values: the durable count behind `fct_gate_decisions_hourly`.

Append-only: the receiver writes the rows in the transaction that commits the items they are about;
a body that is sent again is not counted again, an item that is sent again in another body is.
"""

import pyarrow as pa

from ingestion.contracts.common import TIME

GATE_DECISIONS = pa.schema(
    [
        pa.field("component", pa.string(), nullable=False),
        pa.field("signal", pa.string(), nullable=False),  # spans logs metric_points
        pa.field(
            "field", pa.string(), nullable=False
        ),  # `privacy/gate/attribute_names` says how shown
        pa.field("treatment", pa.string(), nullable=False),  # one of `gate_counts.OUTCOMES`
        pa.field("hour_at", TIME, nullable=False),  # hour of arrival
        pa.field("value_count", pa.int64(), nullable=False),
    ]
)
