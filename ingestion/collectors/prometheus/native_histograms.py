"""Native histograms as OpenMetrics text carries them become OTLP exponential histograms.

Here: `{count:24,sum:100,schema:0,zero_threshold:0.001,zero_count:4,positive_spans:[0:2,1:2],…}` with
bucket counts as differences (`_deltas`) or as they are (`_buckets`). Not here: the line around it.
Source: prometheus/common `expfmt`; OpenTelemetry "Prometheus and OpenMetrics compatibility".
"""

import math
import re
from dataclasses import dataclass
from itertools import accumulate

_FIELD = re.compile(r"\s*([a-z_]+)\s*:\s*(\[[^\]]*+\]|[^,\[\]]++)\s*(?:,|$)")
_SPAN = re.compile(r"\s*(-?\d{1,7}):(\d{1,7})\s*", re.ASCII)
_SCHEMAS = range(-4, 9)
_MAX_BUCKETS = 20_000
_MAX_COUNT = 2**63


class UnreadableHistogram(Exception):
    """The message is a reason of ours."""


@dataclass(frozen=True)
class NativeHistogram:
    """A histogram with exponential buckets, in OTLP's terms: bucket `offset` + i counts (b^i, b^(i+1)]."""

    count: int
    total: float
    scale: int
    zero_threshold: float
    zero_count: int
    positive: tuple[int, tuple[int, ...]]
    negative: tuple[int, tuple[int, ...]]


def read_native(text: str) -> NativeHistogram:
    """What stands between the braces; raises UnreadableHistogram."""
    fields = _fields(text)
    if not {"count", "schema"} <= set(fields):
        raise UnreadableHistogram("a value in braces that is no native histogram")
    schema = _float(fields["schema"])
    if schema not in _SCHEMAS:
        raise UnreadableHistogram("a native histogram of an unknown schema")
    return NativeHistogram(
        count=_count(_float(fields["count"])),
        total=_float(fields.get("sum", "nan")),
        scale=int(schema),
        zero_threshold=_float(fields.get("zero_threshold", "0")),
        zero_count=_count(_float(fields.get("zero_count", "0"))),
        positive=_side(fields, "positive"),
        negative=_side(fields, "negative"),
    )


def _fields(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    at = 0
    while at < len(text):
        found = _FIELD.match(text, at)
        if not found or found[1] in fields:
            raise UnreadableHistogram("a native histogram that cannot be read")
        fields[found[1]], at = found[2].strip(), found.end()
    return fields


def _side(fields: dict[str, str], side: str) -> tuple[int, tuple[int, ...]]:
    """Offset and counts of one side, gaps between spans filled with zeros."""
    spans = [_span(text) for text in _items(fields.get(f"{side}_spans", "[]"))]
    values = _values(fields, side)
    size = sum(max(offset, 0) + length for offset, length in spans[1:])
    if size + sum(length for _, length in spans[:1]) > _MAX_BUCKETS:
        raise UnreadableHistogram("a native histogram with too many buckets")
    if sum(length for _, length in spans) != len(values) or any(o < 0 for o, _ in spans[1:]):
        raise UnreadableHistogram("a native histogram whose spans and buckets differ")
    if not spans:
        return 0, ()
    counts: list[int] = []
    rest = iter(values)
    for number, (offset, length) in enumerate(spans):
        counts += [0] * (offset if number else 0)
        counts += [next(rest) for _ in range(length)]
    # Prometheus numbers buckets by their upper bound, OTLP by the lower one.
    return spans[0][0] - 1, tuple(counts)


def _values(fields: dict[str, str], side: str) -> list[int]:
    if f"{side}_buckets" in fields:
        numbers = [_float(text) for text in _items(fields[f"{side}_buckets"])]
    else:
        deltas = [_float(text) for text in _items(fields.get(f"{side}_deltas", "[]"))]
        numbers = list(accumulate(deltas))
    return [_count(value) for value in numbers]


def _items(text: str) -> list[str]:
    if not (text.startswith("[") and text.endswith("]")):
        raise UnreadableHistogram("a native histogram that cannot be read")
    return text[1:-1].split(",") if text[1:-1].strip() else []


def _span(text: str) -> tuple[int, int]:
    found = _SPAN.fullmatch(text)
    if not found:
        raise UnreadableHistogram("a native histogram that cannot be read")
    return int(found[1]), int(found[2])


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UnreadableHistogram("a native histogram that cannot be read") from None


def _count(value: float) -> int:
    if not (math.isfinite(value) and 0 <= value < _MAX_COUNT):
        raise UnreadableHistogram("a native histogram with a count that is none")
    return round(value)
