"""Rows to counts of people: each person counts in one cell of the period, whatever the rows say.

Here: columns to bins, the rule which cell of a person is kept, and the integer histogram over all fixed
bins. Not here: noise. The rule looks at one person's rows only, and not at their order: adding or
removing a person changes one cell by one, which is the sensitivity the noise is made for. Messages name
columns, never values. Source: Wilson et al. 2020, Differentially Private SQL with Bounded User
Contribution.
"""

import numpy as np
import polars as pl
import pyarrow as pa

from privacy.release.dimensions import Dimension, ReleaseProblem
from privacy.release.release_spec import Histogram, Keep

Rows = pa.Table | pl.DataFrame


def bounded_counts(rows: Rows, spec: Histogram) -> np.ndarray:
    """People per cell, int64, in the shape of the spec; rows without a subject are left out.

    Raises ReleaseProblem when a column is missing or of a kind that has no bins.
    """
    kept = kept_cells(rows, spec)
    counts = np.bincount(kept["cell"].to_numpy(), minlength=spec.bins)
    return counts.astype(np.int64).reshape(spec.shape)


def kept_cells(rows: Rows, spec: Histogram) -> pl.DataFrame:
    """One row per person: `subject` and the flat index `cell` of the cell that counts.

    Raises ReleaseProblem when the table lacks a column of the specification.
    """
    frame = _frame(rows)
    missing = [name for name in (spec.subject, *spec.names) if name not in frame.columns]
    if missing:
        raise ReleaseProblem(f"{spec.mart}: the table has no column {', '.join(missing)}.")
    columns = [_codes(frame[dimension.name], dimension) for dimension in spec.dimensions]
    cell = np.ravel_multi_index(columns, spec.shape) if len(frame) else np.zeros(0, np.int64)
    pairs = pl.DataFrame({"subject": _subjects(frame[spec.subject]), "cell": cell})
    pairs = pairs.filter(pl.col("subject").is_not_null() & (pl.col("subject") != ""))
    return _one_cell_each(pairs, spec.keep).sort("subject")


def _one_cell_each(pairs: pl.DataFrame, keep: Keep) -> pl.DataFrame:
    cell = pl.col("cell")
    if keep is Keep.MOST_FREQUENT:
        times = pairs.group_by("subject", "cell").len()
        ranked = times.sort(["subject", "len", "cell"], descending=[False, True, False])
        return ranked.group_by("subject").agg(cell.first())
    chosen = {
        Keep.FIRST: cell.min(),
        Keep.LAST: cell.max(),
        Keep.LOWER_MEDIAN: cell.sort().get((pl.len() - 1) // 2),
    }[keep]
    return pairs.group_by("subject").agg(chosen)


def _frame(rows: Rows) -> pl.DataFrame:
    if isinstance(rows, pl.DataFrame):
        return rows
    frame = pl.from_arrow(rows)
    if not isinstance(frame, pl.DataFrame):
        raise ReleaseProblem("rows are a pyarrow table or a polars frame.")
    return frame


def _subjects(column: pl.Series) -> pl.Series:
    if column.dtype.is_float():
        column = column.fill_nan(None)
    return _cast(column, pl.String())


def _codes(column: pl.Series, dimension: Dimension) -> np.ndarray:
    """The bin of each row, int64; the last bin is the one for other values."""
    unknown = len(dimension.values)
    if dimension.edges is None:
        known = {value: code for code, value in enumerate(dimension.values)}
        text = _cast(column, pl.String())
        codes = text.replace_strict(known, default=unknown, return_dtype=pl.Int64).to_numpy()
    else:
        numbers = _cast(column, pl.Float64()).fill_null(float("nan")).to_numpy()
        codes = np.searchsorted(np.asarray(dimension.edges), numbers, side="right") - 1
        codes = np.where(np.isnan(numbers), unknown, np.clip(codes, 0, unknown - 1))
    if dimension.other is None and (codes == unknown).any():
        raise ReleaseProblem(
            f"column {dimension.name} holds a value that is not one of its public values. Add it to "
            "the spec or give the dimension an `other` bin."
        )
    return codes.astype(np.int64)


def _cast(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    if column.dtype.is_nested() or column.dtype in (pl.Object, pl.Binary):
        raise ReleaseProblem(f"column {column.name} is {column.dtype}; give text or numbers.")
    return column.cast(dtype, strict=False)
