"""The newest rows of one kind, in Arrow, within bounds of rows and bytes.

Here: a ring of tables. Not here: which rows are put into it.
"""

from collections import deque

import pyarrow as pa


class Ring:
    """The newest rows of a schema; what is added last is newest."""

    def __init__(self, schema: pa.Schema, *, max_rows: int, max_bytes: int) -> None:
        self._schema, self._max_rows, self._max_bytes = schema, max_rows, max_bytes
        self._tables: deque[pa.Table] = deque()
        self._rows = self._bytes = 0

    @property
    def nbytes(self) -> int:
        """Bytes of what is held."""
        return self._bytes

    def add(self, table: pa.Table) -> None:
        """Take rows in; the oldest leave."""
        if table.num_rows == 0:
            return
        self._tables.append(table)
        self._rows += table.num_rows
        self._bytes += table.nbytes
        while len(self._tables) > 1 and (
            self._rows - self._tables[0].num_rows >= self._max_rows or self._bytes > self._max_bytes
        ):
            oldest = self._tables.popleft()
            self._rows -= oldest.num_rows
            self._bytes -= oldest.nbytes

    def table(self) -> pa.Table:
        """All rows, in the order they came."""
        return pa.concat_tables(self._tables) if self._tables else self._schema.empty_table()

    def tidy(self) -> None:
        """Many small tables become one; rows beyond the bounds go."""
        if len(self._tables) < 2:
            return
        whole = self.table()
        newest = whole.slice(max(whole.num_rows - self._max_rows, 0))
        # A slice would hold the rows before it.
        kept = pa.table({n: _copied(newest[n]) for n in newest.column_names}, schema=self._schema)
        self.clear()
        self.add(kept)

    def clear(self) -> None:
        """Hold nothing."""
        self._tables.clear()
        self._rows = self._bytes = 0


def _copied(column: pa.ChunkedArray) -> pa.Array:
    whole = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    return whole.take(pa.array(range(len(whole)), pa.int64()))
