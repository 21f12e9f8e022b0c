"""A body too large for one turn, decoded a piece at a time.

Here: how many items the next piece has, so that each takes about as long as a turn may. Not here: where
groups and items lie (`wire`, `json_pieces`) and what becomes of a piece (`pipeline`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ingestion.receivers.decoding import wire
from ingestion.receivers.decoding.budget import BodyBudget
from ingestion.receivers.decoding.otlp_json import json_pieces
from ingestion.receivers.decoding.protobuf import NOT_PROTOBUF, BadBody, to_arrow

_MOST = 2_048
_LEAST_BYTES, _MOST_BYTES = 2_048, 128 * 1024
_TARGET_S = 0.03


Parts = list[tuple[Any, list[Any]]]
"""Groups of `wire` or `json_pieces`, each with some of its items."""


@dataclass(frozen=True)
class Piece:
    """Items of a body, or how many items of a single group are refused."""

    parts: Parts
    items: int
    size: int
    refused: int = 0

    def halves(self) -> "tuple[Piece, Piece]":
        """Two pieces with the same items, of which there must be two at least."""
        left, right, most = _Waiting(), _Waiting(), self.items // 2
        for group, items in self.parts:
            fit = max(0, most - left.items)
            for side, some in ((left, items[:fit]), (right, items[fit:])):
                if some:
                    side.add(group, some)
        return left.piece(), right.piece()


class Pace:
    """How much the next piece holds: more when the last was quick, less when it was slow."""

    def __init__(self) -> None:
        self.items, self.size = 32, 8_192

    def took(self, seconds: float, piece: Piece) -> None:
        """Learn from a piece."""
        if seconds > 2 * _TARGET_S:
            self.items = max(1, int(piece.items * _TARGET_S / seconds))
            self.size = max(_LEAST_BYTES, int(piece.size * _TARGET_S / seconds))
        elif seconds < _TARGET_S:
            self.items, self.size = min(_MOST, 2 * self.items), min(_MOST_BYTES, 2 * self.size)


def groups_of(signal: str, body: bytes, budget: BodyBudget, *, is_json: bool) -> Sequence[Any]:
    """Where groups and items lie in a body: a look at all of it. Raises BadBody."""
    return (json_pieces if is_json else wire).groups_of(signal, body, budget)


def decoded(signal: str, body: bytes, piece: Piece, *, is_json: bool) -> pa.RecordBatch:
    """The piece as one row; raises BadBody."""
    if is_json:
        return json_pieces.columns(signal, piece.parts)
    batch, _, bad = to_arrow(signal, [wire.encoded(body, piece.parts)])
    if bad:
        raise BadBody(NOT_PROTOBUF)
    return batch


def pieces_of(groups: Sequence[Any], pace: Pace) -> Iterator[Piece]:
    """The pieces of the groups in order, each as large as the pace is when it is asked for."""
    waiting = _Waiting()
    for group in groups:
        if group.refused:
            yield Piece([(group, [])], 0, 0, group.refused)
        start = 0
        while start < len(group.items):
            some = waiting.that_fit(group, start, pace)
            if some:
                waiting.add(group, some)
                start += len(some)
            else:
                yield waiting.piece()
                waiting = _Waiting()
    if waiting.parts:
        yield waiting.piece()


class _Waiting:
    """Parts of groups that become the next piece."""

    def __init__(self) -> None:
        self.parts: Parts = []
        self.items = self.size = 0

    def piece(self) -> Piece:
        return Piece(self.parts, self.items, self.size)

    def add(self, group: Any, items: list[Any]) -> None:
        self.parts.append((group, items))
        self.items += len(items)
        self.size += group.told_bytes + sum(map(_width, items))

    def that_fit(self, group: Any, start: int, pace: Pace) -> list[Any]:
        """Items of a group from a place on; one at least when nothing waits yet."""
        # What is told once is told with every piece, so that a piece should not be smaller.
        most = max(pace.size, 4 * group.told_bytes)
        count, size = 0, self.size + group.told_bytes
        for item in group.items[start : start + pace.items - self.items]:
            size += _width(item)
            if size > most and (count or self.parts):
                break
            count += 1
        return group.items[start : start + count]


def _width(item: Any) -> int:
    return len(item) if isinstance(item, bytes) else item.end - item.start
