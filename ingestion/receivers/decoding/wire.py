"""A large protobuf export is cut into small ones with the same items, without parsing it as a whole.

Here: where groups and items of an export lie, and counting the fields of a large item before anything is
made of it. Not here: limits (`budget`), JSON (`otlp_json/json_pieces`), single fields (`wire_fields`) and
what the items are (`flatten`). A parser holds the interpreter for as long as a message is long; short ones
let others go between. Source: protobuf.dev, "Encoding"; OTLP 1.x.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ingestion.receivers.decoding.budget import BodyBudget
from ingestion.receivers.decoding.protobuf import EXPORTS
from ingestion.receivers.decoding.wire_fields import (
    LENGTH_DELIMITED,
    field_of,
    fields_in,
    value_at,
    varint_at,
)

SMALL_BYTES = 8_192
"""Metrics up to here are not cut into runs of points."""

UNCOUNTED_BYTES = 65_536
"""Items up to here are taken as they are: they cannot hold so much that it would matter."""

_KINDS_OF_POINTS = frozenset({5, 7, 9, 10, 11})


@dataclass(frozen=True)
class Group:
    """A scope of a resource: what is told once, and the items as `(start, end, wrap)` of the body."""

    resource: bytes
    scope: bytes
    items: "list[Item]"
    refused: int

    @property
    def told_bytes(self) -> int:
        """What each piece tells again."""
        return len(self.resource) + len(self.scope)


class Item(NamedTuple):
    """Encoded fields of a scope, or points of a metric that `wrap` tells the rest of."""

    start: int
    end: int
    wrap: tuple[bytes, int, bytes] | None = None


def groups_of(signal: str, body: bytes, budget: BodyBudget) -> list[Group]:
    """The groups of a body; raises BadBody for too many of anything and for what is no protobuf."""
    return _Index(signal, body, budget).groups


def encoded(body: bytes, parts: "list[tuple[Group, list[Item]]]") -> bytes:
    """An export with these items of these groups."""
    made = []
    for group, items in parts:
        scope = group.scope + b"".join(_item_bytes(body, item) for item in items)
        made.append(field_of(1, group.resource + field_of(2, scope)))
    return b"".join(made)


class _Index:
    """Where groups and items lie in a body."""

    def __init__(self, signal: str, body: bytes, budget: BodyBudget) -> None:
        self._body, self._budget = body, budget
        self._group_types = _group_types(signal)
        self._item_type = self._group_types[1].fields_by_number[2].message_type
        self._has_points = signal == "metric_points"
        self._visits = 0
        self.fields_in = self._resources = self._scopes = 0
        self.groups: list[Group] = []
        for number, kind, _, start, end in self._fields(0, len(body)):
            if number == 1 and kind == LENGTH_DELIMITED:
                self._resource(start, end)

    def _fields(self, start: int, end: int) -> Iterator[tuple[int, int, int, int, int]]:
        """(number, wire type, start of the field, start and end of its value)."""
        body = self._body
        most = self._budget.items + 8 * self._budget.groups
        at = start
        while at < end:
            self._visits += 1
            if self._visits > most:
                self._budget.check_items(self._budget.items + 1)
            began = at
            # Nearly every field has a tag and a length of one byte.
            if (
                at + 2 <= end
                and (tag := body[at]) < 0x80
                and tag & 7 == LENGTH_DELIMITED
                and (size := body[at + 1]) < 0x80
                and at + 2 + size <= end
            ):
                at += 2 + size
                yield tag >> 3, LENGTH_DELIMITED, began, began + 2, at
                continue
            tag, at = varint_at(body, at, end)
            at, finish = value_at(body, tag & 7, at, end)
            yield tag >> 3, tag & 7, began, at, finish
            at = finish

    def _resource(self, start: int, end: int) -> None:
        self._resources += 1
        self._budget.check_groups(self._resources)
        fixed, scopes = self._parted(start, end, 2)
        self._check_fixed(fixed, self._group_types[0])
        for _, first, last in scopes:
            self._scopes += 1
            self._budget.check_groups(self._scopes)
            self._scope(fixed, first, last)

    def _check_fixed(self, fixed: bytes, message: Any) -> None:
        """A resource or scope is told again with every piece, and has the limit of an item."""
        most = self._budget.item_values
        if (
            len(fixed) > SMALL_BYTES
            and fields_in(fixed, 0, len(fixed), message, most, levels=64) > most
        ):
            raise self._budget.too_many_values("a resource or scope")

    def _scope(self, resource: bytes, start: int, end: int) -> None:
        fixed, children = self._parted(start, end, 2)
        self._check_fixed(fixed, self._group_types[1])
        items: list[Item] = []
        refused = 0
        small = SMALL_BYTES if self._has_points else UNCOUNTED_BYTES
        for began, first, last in children:
            if last - first <= small:
                items.append(Item(began, last))
            elif self._has_points:
                refused += self._metric(began, first, last, items)
            elif self._is_too_much(first, last, self._item_type):
                refused += 1
            else:
                items.append(Item(began, last))
        self.fields_in += len(items) + refused
        self._budget.check_items(self.fields_in)
        self.groups.append(Group(resource, fixed, items, refused))

    def _metric(self, began: int, start: int, end: int, items: list[Item]) -> int:
        """A large metric as runs of its points; returns how many points are too much."""
        fields = list(self._fields(start, end))
        data = [f for f in fields if f[0] in _KINDS_OF_POINTS and f[1] == LENGTH_DELIMITED]
        named = b"".join(self._body[f[2] : f[4]] for f in fields if f[0] in {1, 3})
        if not data:
            is_too_much = self._is_too_much(start, end, self._item_type)
            items += [] if is_too_much else [Item(began, end)]
            return int(is_too_much)
        number, _, _, first, last = data[-1]
        fixed, points = self._parted(first, last, 1)
        point_type = self._item_type.fields_by_number[number].message_type.fields_by_number[1]
        refused, run_start, run_end = 0, -1, -1
        for place, value, finish in points:
            if finish - value > UNCOUNTED_BYTES and self._is_too_much(
                value, finish, point_type.message_type
            ):
                refused += 1
                continue
            if run_start >= 0 and place == run_end and finish - run_start <= SMALL_BYTES:
                run_end = finish
                continue
            if run_start >= 0:
                items.append(Item(run_start, run_end, (named, number, fixed)))
            run_start, run_end = place, finish
        if run_start >= 0:
            items.append(Item(run_start, run_end, (named, number, fixed)))
        return refused

    def _parted(self, start: int, end: int, child: int) -> tuple[bytes, list[tuple[int, int, int]]]:
        """The encoded other fields, and (field start, value start, value end) of each child."""
        children: list[tuple[int, int, int]] = []
        others: list[bytes] = []
        for number, kind, began, first, last in self._fields(start, end):
            if number == child and kind == LENGTH_DELIMITED:
                children.append((began, first, last))
            else:
                others.append(self._body[began:last])
        return b"".join(others), children

    def _is_too_much(self, start: int, end: int, message: Any) -> bool:
        most = self._budget.item_values
        if end - start > self._budget.item_bytes:
            return True
        return fields_in(self._body, start, end, message, most, levels=self._budget.depth) > most


def _group_types(signal: str) -> tuple[Any, Any]:
    """Descriptors of a resource's group and of a scope's group."""
    export: Any = EXPORTS[signal].request.DESCRIPTOR
    resources = export.fields_by_number[1].message_type
    return resources, resources.fields_by_number[2].message_type


def _item_bytes(body: bytes, item: Item) -> bytes:
    if item.wrap is None:
        return body[item.start : item.end]
    named, number, fixed = item.wrap
    return field_of(2, named + field_of(number, fixed + body[item.start : item.end]))
