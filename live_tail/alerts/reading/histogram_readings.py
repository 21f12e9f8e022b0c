"""Histograms of the hot window as values: what grew, quantiles, and the parts that PromQL names.

Here: the growth between two points, `p95` and the like, and `x_count`, `x_sum` and `x_bucket{le="…"}`
of a histogram `x`, which is stored as one. Not here: reading (`sources`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from live_tail.alerts.reading.selecting import Select
from live_tail.window.rows.point_facts import Points
from live_tail.window.rows.point_rows import number_label

Growth = tuple[float, float, list[float], list[float]]
"""Count, sum, bounds and counts."""
_SUFFIXES = ("_bucket", "_count", "_sum")
_VALUES = frozenset({"increase", "count", "rate", "sum", "mean"})
_OF_PARTS = frozenset({"rate", "increase", "last"})
NUMBERED = frozenset({"le", "quantile"})
"""Labels whose values are numbers, however they are written: `1` is `1.0`."""


@dataclass(frozen=True)
class Part:
    """One part of a histogram: the selection of the whole, and which part was meant."""

    select: Select
    suffix: str
    is_one_bucket: bool

    @property
    def can_answer(self) -> bool:
        """Whether a part has what a rule asks for."""
        return self.select.value in _OF_PARTS

    def value(self, growth: list[Growth], last: Growth) -> list[tuple[dict[str, str], float]]:
        """The values of one set of labels, a bucket each with its bound; `last` is the newest point.

        Raises ValueError for what a part of a histogram does not have.
        """
        wanted = self.select.value
        if not self.can_answer:
            raise ValueError(f"a part of a histogram has no {wanted}")
        some = [last] if wanted == "last" else growth
        per = self.select.over.total_seconds() if wanted == "rate" else 1.0
        if self.suffix == "_count":
            return [({}, sum(n for n, _, _, _ in some) / per)]
        if self.suffix == "_sum":
            return [({}, sum(total for _, total, _, _ in some) / per)]
        return [({"le": number_label(le)}, count / per) for le, count in _up_to(some).items()]

    def told(self, labels: dict[str, str]) -> dict[str, str]:
        """Labels without the bound of the one bucket that was chosen by it: it tells nothing apart."""
        return {k: v for k, v in labels.items() if k != "le" or not self.is_one_bucket}


def part_of(select: Select, points: Points) -> Part | None:
    """What a selection means when a histogram has such a part, whoever else has a metric of its name."""
    if not select.metric.endswith(_SUFFIXES):
        return None
    stem, _, suffix = select.metric.rpartition("_")
    known = points.by_metric.get(stem, [])
    if not any(points.series[number].shape.startswith("histogram") for number in known):
        return None
    where = {name: matcher for name, matcher in select.where.items() if name != "le"}
    by = None if select.by is None else [name for name in select.by if name != "le"]
    whole = select.model_copy(update={"metric": stem, "where": where, "by": by})
    le = select.where.get("le", "")
    is_one = isinstance(le, str) and le[:1] not in {"", "!", "~"} and "le" not in (select.by or ())
    return Part(whole, f"_{suffix}", is_one)


def same_number(wanted: str, value: str) -> bool:
    """Whether two texts are one number; False when one is none."""
    try:
        return float(wanted) == float(value)
    except ValueError:
        return False


def _up_to(some: list[Growth]) -> Mapping[float, float]:
    """How many values were at most each bound, over all points."""
    cells = _cells(some)
    so_far, found = 0.0, dict[float, float]()
    for bound in sorted(cells):
        so_far += cells[bound]
        found[bound] = so_far
    return found


def _cells(some: list[Growth]) -> dict[float, float]:
    cells: dict[float, float] = {}
    for _, _, bounds, counts in some:
        for bound, count in zip([*bounds, math.inf], counts, strict=False):
            cells[bound] = cells.get(bound, 0.0) + count
    return cells


def grown(
    row: tuple[Any, ...], before: tuple[Any, ...] | None, *, is_delta: bool, is_new: bool
) -> Growth | None:
    """Count, sum, bounds and counts that a point adds to the one before."""
    _, _, began, n, total, bounds, counts = row
    bounds, counts = bounds or [], counts or []
    if not is_delta and not is_new:
        if before is None:
            return None
        is_reset = n < before[3] or (began is not None and began > before[1])
        if not is_reset and (before[5] or []) == bounds:
            counts = [now - then for now, then in zip(counts, before[6] or [], strict=True)]
            n, total = n - before[3], (total or 0.0) - (before[4] or 0.0)
    return float(n), float(total or 0.0), list(bounds), list(counts)


def is_of_histograms(value: str) -> bool:
    """Whether a histogram has what a rule asks for."""
    return value in _VALUES or (value[:1] == "p" and value[1:].replace(".", "").isdigit())


def histogram_value(select: Select, some: list[Growth]) -> float | None:
    """The value that a rule asks of a histogram; None when nothing was counted.

    Raises ValueError for a value that no histogram has.
    """
    n, total = sum(g[0] for g in some), sum(g[1] for g in some)
    plain = {
        "increase": n,
        "count": n,
        "rate": n / select.over.total_seconds(),
        "sum": total,
        "mean": total / n if n else None,
    }
    if select.value in plain:
        return plain[select.value]
    if not select.value.startswith("p"):
        raise ValueError(f"a histogram has no {select.value}")
    return _bucket_quantile(float(select.value[1:]) / 100, _cells(some))


def _bucket_quantile(q: float, cells: dict[float, float]) -> float | None:
    """Linear within the bucket, as Prometheus does; above the last bound, the last bound."""
    total = sum(cells.values())
    if total <= 0:
        return None
    so_far, low = 0.0, 0.0
    for bound in sorted(cells):
        count = cells[bound]
        if so_far + count >= q * total and count > 0:
            if bound == float("inf"):
                return low
            return low + (bound - low) * (q * total - so_far) / count
        so_far += count
        low = bound
    return low
