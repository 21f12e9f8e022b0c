"""An SVG of our charts drawn onto a PDF page: the same vectors, with text that can be found.

Here: what Vega writes (groups, lines, rectangles, paths, texts; SVG 1.1, chapters 8 to 10) onto a reportlab
canvas. Not here: other SVG. Arcs become curves (SVG 1.1, appendix F.6).
"""

import math
import re
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree

from reportlab.lib.colors import HexColor, toColor
from reportlab.platypus import Flowable

_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?")
_STEP = re.compile(r"([MmLlHhVvCcAaZz])([^MmLlHhVvCcAaZz]*)")
_MOVE = re.compile(r"(translate|rotate|scale)\(([^)]*)\)")
_ANCHOR = {"middle": "drawCentredString", "end": "drawRightString"}
_NONE = {"none", "transparent", ""}
_TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "A": 7}
Text = Callable[[str], str]


class Drawing(Flowable):
    """An SVG of ours, as wide as given in points; `font` and `text` are how texts are written."""

    def __init__(self, svg: str, width: float, font: str, text: Text) -> None:
        super().__init__()
        self._root = ElementTree.fromstring(svg)  # noqa: S314 - the renderer's own output
        across, down = (float(self._root.attrib[name]) for name in ("width", "height"))
        self._scale, self._down, self._font, self._text = width / across, down, font, text
        self.width, self.height = width, down * self._scale

    def wrap(self, *_: float) -> tuple[float, float]:
        """Its size, points."""
        return self.width, self.height

    def draw(self) -> None:
        """Draw it: SVG counts from above, PDF from below."""
        canvas = self.canv
        canvas.saveState()
        canvas.scale(self._scale, -self._scale)
        canvas.translate(0, -self._down)
        for child in self._root:
            self._shape(canvas, child)
        canvas.restoreState()

    def _shape(self, canvas: Any, element: Any) -> None:
        given = element.attrib
        if given.get("display") == "none" or float(given.get("opacity", 1)) == 0:
            return
        canvas.saveState()
        for kind, numbers in _MOVE.findall(given.get("transform", "")):
            getattr(canvas, kind)(*_numbers(numbers))
        tag = element.tag.rpartition("}")[2]
        if tag == "g":
            for child in element:
                self._shape(canvas, child)
        elif tag == "text":
            self._words(canvas, element)
        elif is_filled_or_stroked := _paint(canvas, given):
            _outline(canvas, tag, given, *is_filled_or_stroked)
        canvas.restoreState()

    def _words(self, canvas: Any, element: Any) -> None:
        given, words = element.attrib, self._text("".join(element.itertext()))
        canvas.scale(1, -1)
        canvas.setFont(self._font, _numbers(given.get("font-size", "12px"))[0])
        canvas.setFillColor(toColor(given.get("fill", "#000000")))
        getattr(canvas, _ANCHOR.get(given.get("text-anchor", ""), "drawString"))(0, 0, words)


def _numbers(text: str) -> list[float]:
    return [float(found) for found in _NUMBER.findall(text)]


def _paint(canvas: Any, given: dict[str, str]) -> tuple[bool, bool] | None:
    """Set colours and lines; (stroked, filled), or None when nothing would be seen."""
    opacity = float(given.get("opacity", 1))
    stroke, fill = given.get("stroke", "none"), given.get("fill", "none")
    if stroke in _NONE and fill in _NONE:
        return None
    if stroke not in _NONE:
        canvas.setStrokeColor(_colour(stroke))
        canvas.setStrokeAlpha(opacity * float(given.get("stroke-opacity", 1)))
        canvas.setLineWidth(float(given.get("stroke-width", 1)))
        if dashes := _numbers(given.get("stroke-dasharray", "")):
            canvas.setDash(dashes)
    if fill not in _NONE:
        canvas.setFillColor(_colour(fill))
        canvas.setFillAlpha(opacity * float(given.get("fill-opacity", 1)))
    return stroke not in _NONE, fill not in _NONE


def _colour(text: str) -> Any:
    return HexColor(text) if text.startswith("#") else toColor(text)


def _outline(
    canvas: Any, tag: str, given: dict[str, str], is_stroked: bool, is_filled: bool
) -> None:
    at = {name: float(given.get(name, 0)) for name in ("x", "y", "x1", "y1", "x2", "y2")}
    if tag == "line":
        canvas.line(at["x1"], at["y1"], at["x2"], at["y2"])
    elif tag == "rect":
        size = float(given.get("width", 0)), float(given.get("height", 0))
        canvas.rect(at["x"], at["y"], *size, stroke=int(is_stroked), fill=int(is_filled))
    elif tag == "path" and given.get("d"):
        path = canvas.beginPath()
        for name, *points in _steps(given["d"]):
            getattr(path, name)(*points)
        canvas.drawPath(path, stroke=int(is_stroked), fill=int(is_filled))


def _steps(description: str) -> Iterator[tuple[Any, ...]]:
    """The steps of a path with absolute ends, as methods of reportlab's path take them."""
    x = y = start_x = start_y = 0.0
    for letter, rest in _STEP.findall(description):
        kind = letter.upper()
        if kind == "Z":
            yield ("close",)
            x, y = start_x, start_y
            continue
        numbers, takes = _numbers(_spaced(rest)), _TAKES[kind]
        for place in range(0, len(numbers), takes):
            given = numbers[place : place + takes]
            before = (x, y)
            base = before if letter.islower() else (0.0, 0.0)
            x, y = _end(kind, given, base, before)
            if kind == "M" and place == 0:
                start_x, start_y = x, y
                yield "moveTo", x, y
            elif kind == "C":
                inner = [given[i] + base[i % 2] for i in range(4)]
                yield "curveTo", *inner, x, y
            elif kind == "A":
                yield from _arc(before, given, (x, y))
            else:
                yield "lineTo", x, y


def _spaced(numbers: str) -> str:
    """`1-2` is two numbers."""
    return re.sub(r"(?<=[\d.])-", " -", numbers)


def _end(
    kind: str, given: list[float], base: tuple[float, float], before: tuple[float, float]
) -> tuple[float, float]:
    if kind == "H":
        return given[0] + base[0], before[1]
    if kind == "V":
        return before[0], given[0] + base[1]
    return given[-2] + base[0], given[-1] + base[1]


def _arc(
    start: tuple[float, float], given: list[float], end: tuple[float, float]
) -> Iterator[tuple[Any, ...]]:
    """A circle's arc as curves of a quarter at most; Vega draws no ellipse."""
    radius, is_large, is_clockwise = abs(given[0]), bool(given[3]), bool(given[4])
    half_x, half_y = (end[0] - start[0]) / 2, (end[1] - start[1]) / 2
    half = math.hypot(half_x, half_y)
    if not half or not radius:
        yield "lineTo", *end
        return
    radius = max(radius, half)
    away = math.sqrt(radius**2 - half**2) / half * (-1 if is_large == is_clockwise else 1)
    centre_x = start[0] + half_x - away * half_y
    centre_y = start[1] + half_y + away * half_x
    first = math.atan2(start[1] - centre_y, start[0] - centre_x)
    turn = math.atan2(end[1] - centre_y, end[0] - centre_x) - first
    turn += 2 * math.pi if is_clockwise and turn < 0 else 0
    turn -= 2 * math.pi if not is_clockwise and turn > 0 else 0
    pieces = max(1, math.ceil(abs(turn) / (math.pi / 2) - 1e-9))
    for place in range(pieces):
        yield _quarter(centre_x, centre_y, radius, first + turn * place / pieces, turn / pieces)


def _quarter(x: float, y: float, radius: float, angle: float, turn: float) -> tuple[Any, ...]:
    pull = 4 / 3 * math.tan(turn / 4) * radius
    after = angle + turn
    first = (x + radius * math.cos(angle), y + radius * math.sin(angle))
    last = (x + radius * math.cos(after), y + radius * math.sin(after))
    return (
        "curveTo",
        first[0] - pull * math.sin(angle), first[1] + pull * math.cos(angle),
        last[0] + pull * math.sin(after), last[1] - pull * math.cos(after),
        *last,
    )  # fmt: skip
