"""Rows that are refused one by one, and what is left as a table of its contract.

Here: which rows go for which reason, counted by body and component. Not here: the reasons themselves
(`flatten`, `flatten_metrics`, `committing/new_values`).
"""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class Rejection:
    """Items refused one by one, with the reason that the ledger and the answer name.

    Of items that are taken though something about them is odd, the same is told as a note.
    """

    body: int
    component: str
    reason: str
    items: int


@dataclass(frozen=True)
class Flat:
    """One signal's gated table, the body each row came from, what was rejected and what is odd.

    `arrived` counts items by component before any was judged.
    """

    table: pa.Table
    body_of_row: np.ndarray
    rejections: list[Rejection]
    notes: list[Rejection] = field(default_factory=list)
    arrived: dict[str, int] = field(default_factory=dict)

    def without(self, is_refused: list[bool], reason: str) -> "Flat":
        """The same without the marked rows, which become rejections."""
        components = self.table.column("component").combine_chunks()
        keep, refused = reject(
            {reason: np.array(is_refused, dtype=bool)}, components, self.body_of_row
        )
        return Flat(
            self.table.filter(pa.array(keep)),
            self.body_of_row[keep],
            self.rejections + refused,
            self.notes,
            self.arrived,
        )


def reject(
    reasons: dict[str, np.ndarray], components: pa.Array, body_of_row: np.ndarray
) -> tuple[np.ndarray, list[Rejection]]:
    """Rows to keep (bool per row), and the rejections by body, component and first reason that applies.

    `reasons` has a bool per row for each reason, `body_of_row` the index of each row's body.
    """
    keep = np.ones(len(body_of_row), dtype=bool)
    rejections: list[Rejection] = []
    for reason, is_bad in reasons.items():
        rows = np.flatnonzero(is_bad & keep)
        if not len(rows):
            continue
        keep[rows] = False
        named = components.take(pa.array(rows)).dictionary_encode()
        names = named.dictionary.to_pylist()
        cells = body_of_row[rows] * len(names) + named.indices.to_numpy()
        for cell, items in zip(*np.unique(cells, return_counts=True), strict=True):
            body, name = divmod(int(cell), len(names))
            rejections.append(Rejection(body, names[name], reason, int(items)))
    return keep, rejections


def finish(
    table: pa.Table,
    schema: pa.Schema,
    reasons: dict[str, np.ndarray],
    body_of_row: np.ndarray,
    odd: dict[str, np.ndarray],
) -> Flat:
    """The table without rejected rows, cast to its contract, and notes of what is `odd` in the others."""
    components = table.column("component").combine_chunks()
    keep, rejections = reject(reasons, components, body_of_row)
    notes = [
        note
        for reason, is_odd in odd.items()
        if is_odd.any()
        for note in reject({reason: is_odd & keep}, components, body_of_row)[1]
    ]
    if not keep.all():
        table, body_of_row = table.filter(pa.array(keep)), body_of_row[keep]
    arrived = {row["values"]: row["counts"] for row in pc.value_counts(components).to_pylist()}
    return Flat(as_contract(table, schema), body_of_row, rejections, notes, arrived)


def as_contract(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table cast to a schema, column by column where a column is not of its type yet.

    Raises ValueError, as a cast does, for a null where the contract has none.
    """
    columns = []
    for column, wanted in zip(table.columns, schema, strict=True):
        is_broken = not wanted.nullable and column.null_count
        columns.append(column if column.type == wanted.type and not is_broken else None)
    if any(column is None for column in columns):
        return table.cast(schema)
    return pa.Table.from_arrays(columns, schema=schema)
