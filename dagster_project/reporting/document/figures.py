"""Values of a report: rounded once, told in one way, the same number in every format.

Here: figures with their change, columns and tables, how a value reads. Not here: documents, formats.
A value is rounded when it enters; what a format writes is that value, so that no two formats differ.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

NOT_MEASURED = "\u2014"
Value = str | int | float | None
Better = Literal["up", "down", "none"]


def rounded(value: Any, digits: int) -> int | float | None:
    """The number with so many decimals; None for what nobody measured. Whole numbers are `int`."""
    if value is None or math.isnan(value):
        return None
    found = round(float(value), digits)
    return int(found) if digits == 0 else found + 0.0


def told(value: Value, digits: int = 0) -> str:
    """A value as people read it: `1,920`, `99.53`, a text as it is, a dash for what nobody measured."""
    if value is None:
        return NOT_MEASURED
    if isinstance(value, str):
        return value
    return f"{value:,.{digits}f}"


@dataclass(frozen=True)
class Figure:
    """One of the five numbers: value and the same of the period before, in `unit`.

    `better` is the direction that is good news. A change is in percent, of shares (`%`) in points.
    `missing` says why there is no value.
    """

    name: str
    value: int | float | None
    unit: str = ""
    digits: int = 0
    before: int | float | None = None
    better: Better = "none"
    missing: str = ""

    @property
    def words(self) -> str:
        """`99.53 %`."""
        return told(self.value, self.digits) + (
            f" {self.unit}" if self.unit and self.value is not None else ""
        )

    @property
    def is_points(self) -> bool:
        """Whether its change is a difference of shares."""
        return self.unit == "%"

    @property
    def change(self) -> float | None:
        """Percent against the period before, or points; None when either is not known."""
        if self.value is None or self.before is None:
            return None
        if self.is_points:
            return rounded(self.value - self.before, self.digits)
        return rounded(100 * (self.value - self.before) / self.before, 1) if self.before else None

    @property
    def change_words(self) -> str:
        """`+6.0 %`, `-0.20 pt`; empty when there is none."""
        if self.change is None:
            return ""
        form = f"+,.{self.digits}f" if self.is_points else "+,.1f"
        return f"{self.change:{form}} {'pt' if self.is_points else '%'}"

    @property
    def news(self) -> Literal["good", "bad", "flat"]:
        """What the change means."""
        if not self.change or self.better == "none":
            return "flat"
        return "good" if (self.change > 0) == (self.better == "up") else "bad"


def figure(
    name: str, value: Any, before: Any = None, *, unit: str = "", digits: int = 0,
    better: Better = "none", missing: str = "",
) -> Figure:  # fmt: skip
    """A figure of values as they were measured."""
    return Figure(
        name, rounded(value, digits), unit, digits, rounded(before, digits), better, missing
    )


@dataclass(frozen=True)
class Column:
    """One column: numbers have `digits` decimals and a unit in the title; texts have None."""

    title: str
    digits: int | None = None

    @property
    def is_number(self) -> bool:
        """Whether it stands at the right."""
        return self.digits is not None


@dataclass(frozen=True)
class Table:
    """Rows under columns; `empty` says what would fill it, `note` what was left out."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    empty: str = "Nothing of the kind in this period."
    note: str = ""

    def cells(self) -> list[list[str]]:
        """The rows as people read them."""
        return [
            [told(v, c.digits or 0) for v, c in zip(row, self.columns, strict=True)]
            for row in self.rows
        ]


def table(
    title: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]], *, empty: str = "",
    most: int = 15,
) -> Table:  # fmt: skip
    """A table of values as they were measured, at most so many rows; says how many were left out."""
    every = list(rows)
    kept = tuple(
        tuple(_value(v, c) for v, c in zip(row, columns, strict=True)) for row in every[:most]
    )
    note = f"The first {most:,} of {len(every):,}." if len(every) > most else ""
    return Table(title, tuple(columns), kept, empty or "Nothing of the kind in this period.", note)


def _value(value: Any, column: Column) -> Value:
    if column.digits is not None:
        return rounded(value, column.digits)
    return None if value is None or value == "" else str(value)
