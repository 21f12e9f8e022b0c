"""A report as PDF: A4, cover line and verdict first, then figures, charts, tables, method.

Here: the order of parts, pages with their footers, bookmarks. Not here: tables (`pdf_tables`), drawings
(`svg_shapes`). Built twice from one document it is the same, byte by byte: no time but the document's own.
"""

import io
from collections.abc import Iterator, Sequence
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from dagster_project.reporting.charts import LIGHT
from dagster_project.reporting.document.figures import Figure
from dagster_project.reporting.document.report_document import Document
from dagster_project.reporting.rendering.pdf_letters import REGULAR, marked_up, width_of, written
from dagster_project.reporting.rendering.pdf_styles import Styles, pdf_styles
from dagster_project.reporting.rendering.pdf_tables import pdf_table
from dagster_project.reporting.rendering.report_words import PRODUCT, STATES, about, compared
from dagster_project.reporting.rendering.svg_shapes import Drawing

_MARGIN, _FOOT = 18 * mm, 16 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_TILE_PAD = 12.5
_STATE = {
    "ok": LIGHT.ok, "warning": LIGHT.warning, "critical": LIGHT.critical, "unknown": LIGHT.unknown,
}  # fmt: skip
_NEWS = {"good": LIGHT.ok, "bad": LIGHT.critical, "flat": LIGHT.quiet}


def as_pdf(document: Document, drawings: Sequence[str]) -> bytes:
    """The file; `drawings` are the SVGs of the charts that have points, in their order."""
    sink = io.BytesIO()
    styles = pdf_styles()
    title = f"{document.title}, {document.period.label}"
    template = BaseDocTemplate(
        sink, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=_MARGIN,
        bottomMargin=_MARGIN, title=written(title), author=PRODUCT, creator=PRODUCT,
        subject=written(f"edition {document.edition}"), invariant=1, lang="en",
    )  # fmt: skip
    frame = Frame(
        _MARGIN, _MARGIN + 4 * mm, _WIDTH, A4[1] - 2 * _MARGIN - 4 * mm, 0, 0, 0, 0, id="page"
    )
    template.addPageTemplates(PageTemplate("page", [frame]))
    parts = list(_parts(document, iter(drawings), styles))
    template.build(parts, canvasmaker=_canvas_of(document))
    return sink.getvalue()


def _parts(document: Document, drawings: Iterator[str], styles: Styles) -> Iterator[Flowable]:
    yield from _summary(document, styles)
    for chart in document.charts:
        head = [_Bookmark(chart.title), Paragraph(marked_up(chart.title), styles.heading)]
        if chart.points:
            shown: Flowable = Drawing(next(drawings), _WIDTH, REGULAR, written)
        else:
            shown = Paragraph(marked_up(chart.empty), styles.quiet)
        yield KeepTogether([*head, shown])
    for one in document.tables:
        yield CondPageBreak(32 * mm)
        yield _Bookmark(one.title)
        yield Paragraph(marked_up(one.title), styles.heading)
        if one.rows:
            yield pdf_table(one, _WIDTH, styles)
        yield from (Paragraph(marked_up(t), styles.quiet) for t in (_beside(one.rows, one),) if t)
    method = [Paragraph(marked_up(line), styles.text) for line in document.method]
    yield CondPageBreak(40 * mm)
    yield _Bookmark("Method")
    yield Paragraph("Method", styles.heading)
    yield from method
    facts = about(document)
    yield Paragraph(
        marked_up(f"Data as of {facts['data as of']}. Generated at {facts['generated at']}."),
        styles.quiet,
    )


def _beside(rows: Sequence[Any], one: Any) -> str:
    return one.note if rows else one.empty


def _summary(document: Document, styles: Styles) -> Iterator[Flowable]:
    facts = about(document)
    yield _Bookmark("Summary")
    yield Paragraph(PRODUCT, styles.quiet)
    yield Paragraph(marked_up(document.title), styles.title)
    yield Paragraph(marked_up(f"{facts['period']} · {facts['range']}"), styles.text)
    yield Spacer(0, 8)
    verdict = Paragraph(
        f'<font color="{_STATE[document.state]}">{STATES[document.state]}.</font> '
        f"{marked_up(document.verdict)}",
        styles.verdict,
    )
    bar = ("LINEBEFORE", (0, 0), (0, -1), 3, HexColor(_STATE[document.state]))
    yield Table(
        [[verdict]],
        colWidths=[_WIDTH],
        style=TableStyle([bar, ("LEFTPADDING", (0, 0), (-1, -1), 9)]),
    )
    yield Spacer(0, 8)
    yield _tiles(document.figures, styles)
    yield Spacer(0, 4)
    yield Paragraph(marked_up(compared(document)), styles.quiet)


def _tiles(figures: Sequence[Figure], styles: Styles) -> Flowable:
    width = _WIDTH / max(len(figures), 1)
    cells = [[_tile(one, styles, width - _TILE_PAD) for one in figures]]
    style = TableStyle(
        [
            ("BOX", (place, 0), (place, 0), 0.7, HexColor(LIGHT.grid))
            for place in range(len(figures))
        ]
        + [
            ("BACKGROUND", (0, 0), (-1, -1), HexColor("#F4F7F8")),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ]
    )
    return Table(cells, colWidths=[width] * len(figures), style=style)


def _tile(one: Figure, styles: Styles, room: float) -> list[Flowable]:
    below = one.change_words or (one.missing if one.value is None else "")
    colour = _NEWS[one.news]
    label = _fitting(below, styles.label, room) if one.change_words else styles.label
    return [
        Paragraph(marked_up(one.name), styles.label),
        Paragraph(marked_up(one.words), _fitting(one.words, styles.value, room)),
        Paragraph(f'<font color="{colour}">{marked_up(below)}</font>', label),
    ]


def _fitting(words: str, style: ParagraphStyle, room: float) -> ParagraphStyle:
    """The style, smaller where the words would break: half a number is another number."""
    share = room / max(width_of(words, style.fontSize, style.fontName), 1.0)
    if share >= 1:
        return style
    return ParagraphStyle("fitting", style, fontSize=style.fontSize * share * 0.99)


class _Bookmark(Flowable):
    """An entry of the outline that leads to where it stands."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = written(title)
        self.keepWithNext = 1

    def wrap(self, *_: float) -> tuple[float, float]:
        """It takes no room."""
        return 0, 0

    def draw(self) -> None:
        """Note it."""
        key = self._title
        self.canv.bookmarkHorizontal(key, 0, 18)
        self.canv.addOutlineEntry(self._title, key, 0, closed=False)


def _canvas_of(document: Document) -> type[Canvas]:
    """A canvas that writes footers when it knows how many pages there are."""
    left = written(f"{document.title} · {document.period.label} · edition {document.edition}")

    class Numbered(Canvas):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:
            """Keep the page until all are known."""
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            """Write each page with its footer."""
            for page in self._pages:
                self.__dict__.update(page)
                _footer(self, left, f"Page {self._pageNumber} of {len(self._pages)}")
                super().showPage()
            super().save()

    return Numbered


def _footer(canvas: Canvas, left: str, right: str) -> None:
    canvas.setStrokeColor(HexColor(LIGHT.grid))
    canvas.line(_MARGIN, _FOOT + 10, A4[0] - _MARGIN, _FOOT + 10)
    canvas.setFont(REGULAR, 8)
    canvas.setFillColor(HexColor(LIGHT.quiet))
    canvas.drawString(_MARGIN, _FOOT, left)
    canvas.drawRightString(A4[0] - _MARGIN, _FOOT, right)
