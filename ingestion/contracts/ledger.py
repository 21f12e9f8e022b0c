"""What happened to items at the door: the durable count behind `fct_landed_items_hourly`.

Append-only: the receiver writes `arrived`, `accepted`, `rejected`, `dropped` and `duplicate` (a repeated
body) rows in the transaction that commits the items; the drain adds `duplicate` rows for items it finds
twice and `set_aside` rows for what it cannot land (less than none when such a batch is taken back).

Whatever arrives has one fate: arrived = accepted + rejected + dropped, and of what was accepted each item
is in the lake, was there already (`duplicate`) or is `set_aside`. `arrived` is counted before anything is
judged; a body that cannot be read is one item. `rejected` was told to the sender, `dropped` went by a rule
that its reason names: items of a kind that nobody stores, and what collectors of ours could not use
(`receivers/told_drops`). `noted` items are accepted ones of which something was odd and was put right or is
believed: a span that ends before it starts, a number that an enumeration does not have, a clock that runs
ahead. `too_many_attribute_names` alone counts values: one for each attribute whose name was one too many.
"""

import pyarrow as pa

from ingestion.contracts.common import TIME

OUTCOMES = ("arrived", "accepted", "rejected", "dropped", "duplicate", "set_aside", "noted")

LEDGER = pa.schema(
    [
        pa.field("component", pa.string(), nullable=False),
        pa.field("signal", pa.string(), nullable=False),  # spans logs metric_points
        pa.field("hour_at", TIME, nullable=False),  # hour of arrival
        pa.field("outcome", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),  # empty for arrived and accepted
        pa.field("items", pa.int64(), nullable=False),
        pa.field("received_at", TIME, nullable=False),
    ]
)
