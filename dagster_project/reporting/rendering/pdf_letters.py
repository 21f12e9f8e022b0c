"""Inter in a PDF: the fonts, and texts made of letters that they have.

Here: registering, and what stands for a letter that is not there. Not here: layout. The fonts are cut from
the app's own file (`streamlit_app/static`, SIL OFL 1.1): Latin; any other letter is `?`, while CSV, JSON and
HTML have it as it is.
"""

from functools import cache
from xml.sax.saxutils import escape

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from dagster_project.reporting.picture import FONTS

REGULAR, BOLD = "Inter", "Inter-SemiBold"
_INSTEAD = "?"


@cache
def known_letters() -> frozenset[int]:
    """Code points that both fonts have; registers them first."""
    fonts = [
        TTFont(REGULAR, str(FONTS / "Inter-Regular.ttf")),
        TTFont(BOLD, str(FONTS / "Inter-SemiBold.ttf")),
    ]
    for font in fonts:
        pdfmetrics.registerFont(font)
    pdfmetrics.registerFontFamily(REGULAR, REGULAR, BOLD, REGULAR, BOLD)
    first, second = (frozenset(font.face.charToGlyph) for font in fonts)
    return first & second


def written(text: str) -> str:
    """The text in letters of the fonts; line breaks and the like are spaces."""
    known = known_letters()
    return "".join(
        letter if ord(letter) in known else " " if letter.isspace() else _INSTEAD for letter in text
    )


def marked_up(text: str) -> str:
    """The same between tags of a paragraph."""
    return escape(written(text))


def width_of(text: str, size: float, font: str = REGULAR) -> float:
    """Points that the text takes."""
    return pdfmetrics.stringWidth(written(text), font, size)
