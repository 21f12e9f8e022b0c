"""Styles of a PDF's paragraphs: the product's tokens on white."""

from dataclasses import dataclass

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.styles import ParagraphStyle

from dagster_project.reporting.charts import LIGHT
from dagster_project.reporting.rendering.pdf_letters import BOLD, REGULAR, known_letters


@dataclass(frozen=True)
class Styles:
    """One style for each kind of text."""

    title: ParagraphStyle
    quiet: ParagraphStyle
    verdict: ParagraphStyle
    heading: ParagraphStyle
    text: ParagraphStyle
    label: ParagraphStyle
    value: ParagraphStyle
    cell: ParagraphStyle
    cell_head: ParagraphStyle
    number: ParagraphStyle
    number_head: ParagraphStyle


def pdf_styles() -> Styles:
    """The styles, with the fonts that they name registered."""
    known_letters()
    text, quiet = HexColor(LIGHT.text), HexColor(LIGHT.quiet)
    base = ParagraphStyle("text", fontName=REGULAR, fontSize=9.5, leading=13.5, textColor=text)
    cell = ParagraphStyle("cell", base, fontSize=8.5, leading=11)
    head = ParagraphStyle("cell_head", cell, fontName=BOLD, textColor=quiet)
    return Styles(
        title=ParagraphStyle("title", base, fontName=BOLD, fontSize=20, leading=25),
        quiet=ParagraphStyle("quiet", base, fontSize=8.5, leading=12, textColor=quiet),
        verdict=ParagraphStyle("verdict", base, fontName=BOLD, fontSize=12.5, leading=17),
        heading=ParagraphStyle(
            "heading", base, fontName=BOLD, fontSize=12, leading=16, spaceBefore=14, spaceAfter=5
        ),
        text=ParagraphStyle("paragraph", base, spaceAfter=4),
        label=ParagraphStyle("label", base, fontSize=8.5, leading=11, textColor=quiet),
        value=ParagraphStyle("value", base, fontName=BOLD, fontSize=14, leading=19),
        cell=cell,
        cell_head=head,
        number=ParagraphStyle("number", cell, alignment=TA_RIGHT),
        number_head=ParagraphStyle("number_head", head, alignment=TA_RIGHT),
    )
