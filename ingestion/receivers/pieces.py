"""A body too large for one turn, decoded a piece at a time.

Here: how many items the next piece has, so that each takes about as long as a turn may. Not here: where
groups and items lie (`wire`, `json_pieces`) and what becomes of a piece (`pipeline`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ingestion.receivers import json_pieces, wire
from ingestion.receivers.budget import BodyBudget
from ingestion.receivers.decode import BadBody, to_arrow

_FEWEST, _MOST = 1, 2_048
_MOST_BYTES = 128 * 1024
_TARGET_S = 0.03


@dataclass(frozen=True)
class Piece:
    """Items as a batch of one row, or how many items of the row's only group are refused; bytes."""

    batch: pa.RecordBatch
    items: int
    size: int
    refused: int = 0


class Pace:
    """Items of the next piece: more when the last was quick, fewer when it was slow."""

    def __init__(self) -> None:
        self.items = 64

    def took(self, seconds: float, items: int) -> None:
        """Learn from a piece."""
        if seconds > 2 * _TARGET_S:
            self.items = max(_FEWEST, int(items * _TARGET_S / seconds))
        elif seconds < _TARGET_S and items >= self.items:
            self.items = min(_MOST, 2 * self.items)


def pieces_of(
    signal: str, body: bytes, budget: BodyBudget, pace: Pace, *, is_json: bool
) -> Iterator[Piece]:
    """The pieces in order; the first step looks at the whole body. Raises BadBody."""
    groups = (json_pieces if is_json else wire).groups_of(signal, body, budget)

    def made(parts: list[Any]) -> pa.RecordBatch:
        return json_pieces.columns(signal, parts) if is_json else _decoded(signal, body, parts)

    waiting = _Waiting()
    for group in groups:
        if group.refused:
            yield Piece(made([(group, [])]), 0, 0, group.refused)
        start = 0
        while start < len(group.items):
            if waiting.is_full(pace):
                yield Piece(made(waiting.parts), waiting.items, waiting.size)
                waiting = _Waiting()
            start += waiting.add(group, start, pace)
    if waiting.parts:
        yield Piece(made(waiting.parts), waiting.items, waiting.size)


class _Waiting:
    """Parts of groups that become the next piece."""

    def __init__(self) -> None:
        self.parts: list[Any] = []
        self.items = self.size = 0

    def is_full(self, pace: Pace) -> bool:
        return self.items >= pace.items or self.size >= _MOST_BYTES

    def add(self, group: Any, start: int, pace: Pace) -> int:
        """Take items of a group from a place on; returns how many, at least one."""
        count = 0
        # What is told once is told with every piece: a piece is not smaller than that.
        most = max(_MOST_BYTES, 4 * group.told_bytes)
        self.size += group.told_bytes
        for item in group.items[start : start + pace.items - self.items]:
            width = len(item) if isinstance(item, bytes) else item.end - item.start
            if count and self.size + width > most:
                self.size = max(self.size, _MOST_BYTES)
                break
            self.size, count = self.size + width, count + 1
        self.parts.append((group, group.items[start : start + count]))
        self.items += count
        return count


def _decoded(signal: str, body: bytes, parts: list[Any]) -> pa.RecordBatch:
    batch, _, bad = to_arrow(signal, [wire.encoded(body, parts)])
    if bad:
        raise BadBody("the body is not a valid OTLP protobuf message for this signal")
    return batch
