"""A table sorted by what matters: inline bars, lines and pills, a link in each row.

Here: rows to an HTML table that a keyboard and a reader of the screen can use. Not here: which rows
(`readings`), exports (`export_menu`). Order and number of rows are parameters of the address:
`sort=KEY.column` or `sort=KEY.-column`, `all=KEY`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import streamlit as st

from streamlit_app.components import address, formats, markup
from streamlit_app.components.header.style import look

Row = dict[str, Any]
_MOST = 20


@dataclass(frozen=True)
class Column:
    """One column: `name` in the frame, `title` with the unit, and how a value reads.

    `bar` draws a number over its share of the largest; `spark` takes a list of numbers; `pill` takes a
    pair of state and words; `html` takes markup that a function of `markup` made. `form` says how a number or
    anything else reads; `hover` adds what a pointer sees. `is_bad` colours a bar.
    """

    name: str
    title: str
    kind: Literal["text", "number", "bar", "spark", "pill", "html"] = "text"
    form: Callable[[Any], str] | None = None
    hover: Callable[[Row], str] | None = None
    is_bad: Callable[[Any], bool] | None = None
    note: str = ""

    @property
    def is_number(self) -> bool:
        """Whether it stands at the right."""
        return self.kind in {"number", "bar"}


def ranked_table(
    rows: pd.DataFrame,
    columns: Sequence[Column],
    *,
    key: str,
    caption: str,
    link: Callable[[Row], str | None] | None = None,
    most: int = _MOST,
) -> pd.DataFrame:
    """Draw the rows in the order that the address asks for, else as they come; returns those shown.

    `link` gives where a row leads: its first column is that link, and the whole row can be clicked.
    """
    ordered = _ordered(rows, columns, key)
    is_all = st.query_params.get("all") == key
    shown = ordered if is_all else ordered.head(most)
    tops = {
        c.name: _top(pd.Series(rows[c.name])) for c in columns if c.kind == "bar" and c.name in rows
    }
    body = "".join(_row(row, columns, tops, link) for row in shown.to_dict("records"))
    head = "".join(_head(c, key) for c in columns)
    st.html(
        f'<div class="tta-scroll" tabindex="0" role="region" aria-label="{markup.text(caption)}">'
        f'<table class="tta-table"><caption class="tta-hidden">{markup.text(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        f"{_more(len(ordered), len(shown), key)}"
    )
    return shown


def _more(known: int, shown: int, key: str) -> str:
    if known <= shown:
        return ""
    words = markup.link(f"show all {known:,}", address.here(all=key))
    return f'<p class="tta-quiet">{shown:,} of {known:,} rows · {words}</p>'


def sorting(key: str) -> tuple[str, bool] | None:
    """Column and whether the largest come first, as the address asks for this table."""
    table, _, column = st.query_params.get("sort", "").partition(".")
    if table != key or not column:
        return None
    return column.removeprefix("-"), column.startswith("-")


def _ordered(rows: pd.DataFrame, columns: Sequence[Column], key: str) -> pd.DataFrame:
    wanted = sorting(key)
    sortable = {c.name for c in columns if _can_sort(c)}
    if not wanted or wanted[0] not in sortable or wanted[0] not in rows:
        return rows
    column, is_descending = wanted
    return rows.sort_values(column, ascending=not is_descending, kind="stable", na_position="last")


def _can_sort(column: Column) -> bool:
    return column.kind in {"text", "number", "bar"}


def _head(column: Column, key: str) -> str:
    kind = ' class="tta-number"' if column.is_number else ""
    hover = f' title="{markup.text(column.note)}"' if column.note else ""
    if not _can_sort(column):
        return f'<th scope="col"{kind}{hover}>{markup.text(column.title)}</th>'
    wanted = sorting(key)
    is_sorted = bool(wanted and wanted[0] == column.name)
    is_descending = bool(wanted and wanted[1])
    # Numbers begin with the largest, names with A.
    turned = not is_descending if is_sorted else column.is_number
    address_of = address.here(sort=f"{key}.{'-' if turned else ''}{column.name}")
    order = ("descending" if is_descending else "ascending") if is_sorted else "none"
    arrow = (
        markup.symbol("arrow_downward" if is_descending else "arrow_upward") if is_sorted else ""
    )
    words = markup.link(column.title, address_of)
    return f'<th scope="col"{kind}{hover} aria-sort="{order}">{words}{arrow}</th>'


def _row(
    row: Row,
    columns: Sequence[Column],
    tops: dict[str, float],
    link: Callable[[Row], str | None] | None,
) -> str:
    target = link(row) if link else None
    cells = "".join(
        _cell(row, column, tops.get(column.name, 0.0), target if place == 0 else None)
        for place, column in enumerate(columns)
    )
    return f"<tr{' class=tta-link' if target else ''}>{cells}</tr>"


def _cell(row: Row, column: Column, top: float, target: str | None) -> str:
    value = row.get(column.name)
    kind = ' class="tta-number"' if column.is_number else ""
    hover = f' title="{markup.text(column.hover(row))}"' if column.hover else ""
    return f"<td{kind}{hover}>{_inside(value, column, top, target)}</td>"


def _inside(value: Any, column: Column, top: float, target: str | None) -> str:
    if column.kind == "spark":
        return markup.spark(value if isinstance(value, Sequence) else [], look().accent)
    if _is_missing(value):
        return f'<span class="tta-quiet">{formats.NOT_MEASURED}</span>'
    if column.kind == "pill":
        return markup.pill(*value)
    if column.kind == "html":
        return str(value)
    words = column.form(value) if column.form else str(value)
    if column.kind == "bar":
        is_bad = bool(column.is_bad and column.is_bad(value))
        return markup.bar(float(value) / top if top else 0.0, words, is_bad=is_bad)
    return markup.link(words, target, kind="tta-whole") if target else markup.text(words)


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _top(values: pd.Series) -> float:
    known = [float(v) for v in values if not _is_missing(v)]
    return max(known, default=0.0)
