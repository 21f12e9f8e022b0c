"""What our collectors could not use of what they were given, read from the metric by which they tell it.

Here: which points tell of drops, and how many. Not here: telling (`collectors/told`), counting (`landing`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contracts import SIGNALS
from ingestion.contracts.told import METRIC, REASON, SIGNAL

_REASON = re.compile(r"[a-z0-9_]{1,80}")
_MOST_ITEMS, _MOST_REASONS = 10**9, 100


@dataclass(frozen=True)
class ToldDrop:
    """So many items of a component that its sender could not use."""

    component: str
    signal: str
    reason: str
    items: int


def told_drops(points: pa.Table) -> Iterator[ToldDrop]:
    """What gated points (`contracts.METRIC_POINTS`) tell of drops; what makes no sense tells nothing."""
    is_told = pc.equal(points.column("metric"), METRIC)
    if not pc.any(is_told).as_py():
        return
    reasons: set[str] = set()
    wanted = ["component", "temporality", "value_int", "attributes"]
    for row in points.select(wanted).filter(is_told).to_pylist():
        attributes = dict(row["attributes"])
        reason = _known(attributes.get(REASON), reasons)
        if row["temporality"] == "delta" and attributes.get(SIGNAL) in SIGNALS and _counts(row):
            yield ToldDrop(row["component"], attributes[SIGNAL], reason, row["value_int"])


def _counts(row: Mapping[str, Any]) -> bool:
    return row["value_int"] is not None and 0 < row["value_int"] <= _MOST_ITEMS


def _known(reason: str | None, reasons: set[str]) -> str:
    """The reason, or `other` for what is none and for more of them than collectors have."""
    if reason is None or not _REASON.fullmatch(reason):
        return "other"
    if reason not in reasons and len(reasons) >= _MOST_REASONS:
        return "other"
    reasons.add(reason)
    return reason
