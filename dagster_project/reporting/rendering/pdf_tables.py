"""Tables of a PDF: columns as wide as they need, headers again on each page, long names wrapped."""

from collections.abc import Sequence

from reportlab.lib.colors import HexColor
from reportlab.platypus import Flowable, LongTable, Paragraph, TableStyle

from dagster_project.reporting.charts import LIGHT
from dagster_project.reporting.document.figures import Column, Table
from dagster_project.reporting.rendering.pdf_letters import BOLD, marked_up, width_of
from dagster_project.reporting.rendering.pdf_styles import Styles

_PAD, _SIZE = 4.0, 8.5
_TITLE = 64.0
_STYLE = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.5, HexColor(LIGHT.grid)),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, HexColor(LIGHT.quiet)),
        ("LEFTPADDING", (0, 0), (-1, -1), _PAD),
        ("RIGHTPADDING", (0, 0), (-1, -1), _PAD),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3.0),
    ]
)


def pdf_table(one: Table, width: float, styles: Styles) -> Flowable:
    """The table, as wide as given in points; a row is never cut in two."""
    heads = [
        Paragraph(marked_up(c.title), styles.number_head if c.is_number else styles.cell_head)
        for c in one.columns
    ]
    cells = one.cells()
    rows = [
        [
            Paragraph(marked_up(text), styles.number if column.is_number else styles.cell)
            for text, column in zip(row, one.columns, strict=True)
        ]
        for row in cells
    ]
    return LongTable(
        [heads, *rows], colWidths=_widths(one, cells, width), repeatRows=1, splitByRow=1,
        splitInRow=0, style=_STYLE, hAlign="LEFT",
    )  # fmt: skip


def _widths(one: Table, cells: Sequence[Sequence[str]], width: float) -> list[float]:
    """Numbers get what they need; texts share the rest, and the longest give way first."""
    needs = [_need(column, [row[p] for row in cells]) for p, column in enumerate(one.columns)]
    numbers = sum(n for n, c in zip(needs, one.columns, strict=True) if c.is_number)
    texts = [n for n, c in zip(needs, one.columns, strict=True) if not c.is_number]
    most = _most_of_one(texts, max(width - numbers, 0.35 * width))
    given = [n if c.is_number else min(n, most) for n, c in zip(needs, one.columns, strict=True)]
    spare = max(width - sum(given), 0.0) / max(len(texts), 1)
    wide = [g if c.is_number else g + spare for g, c in zip(given, one.columns, strict=True)]
    return [each * width / sum(wide) for each in wide]


def _need(column: Column, texts: Sequence[str]) -> float:
    """Points that a column takes without a break; its title may have one."""
    longest = max((width_of(text, _SIZE) for text in texts), default=0.0)
    word = max(width_of(w, _SIZE, BOLD) for w in (column.title.split() or [""]))
    title = max(word, min(width_of(column.title, _SIZE, BOLD), _TITLE))
    return max(longest, title) + 2 * _PAD + 1


def _most_of_one(needs: Sequence[float], room: float) -> float:
    """The width at which columns are cut so that all of them fit."""
    left, waiting = room, sorted(needs)
    while waiting and waiting[0] * len(waiting) <= left:
        left -= waiting.pop(0)
    return left / len(waiting) if waiting else max(needs, default=0.0)
