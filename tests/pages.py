"""What a page says, without a browser: HTML of ours as text, tables and figures.

Here: reading an `AppTest`. Not here: signing in (`signing_in`), browsers (`browser`).
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from streamlit.testing.v1 import AppTest

_PARTS = {"tta-label": 0, "tta-value": 1, "tta-change": 2, "tta-note": 3}


@dataclass
class _Reader(HTMLParser):
    """Text, links, table rows and tiles of HTML; symbols of the icon font are none."""

    words: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    tables: list[list[list[str]]] = field(default_factory=list)
    tiles: list[list[str]] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._href = self._part = ""
        self._is_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        kinds = (given.get("class") or "").split()
        self._is_style = tag in {"style", "script"} or "tta-icon" in kinds
        self._href = given.get("href") or "" if tag == "a" else self._href
        if given.get("title"):
            self.titles.append(given["title"] or "")
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in {"td", "th"}:
            self.tables[-1][-1].append("")
        if "tta-tile" in kinds:
            self.tiles.append(["", "", "", ""])
        if tag in {"div", "td", "th", "span"}:
            self._part = next(
                (k for k in kinds if k in {"tta-label", "tta-value", "tta-change", "tta-note"}),
                self._part if tag == "span" else tag,
            )

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._href = ""
        if tag in {"td", "th"}:
            self._part = ""
        self._is_style = False

    def handle_data(self, data: str) -> None:
        if self._is_style or not data.strip():
            return
        self.words.append(data.strip())
        if self._href:
            self.links[data.strip()] = self._href
        if self._part in {"td", "th"} and self.tables and self.tables[-1] and self.tables[-1][-1]:
            self.tables[-1][-1][-1] += data
        if _PARTS.get(self._part) is not None and self.tiles:
            self.tiles[-1][_PARTS[self._part]] += data.strip()


def _read(shown: AppTest) -> _Reader:
    reader = _Reader()
    for element in shown.get("html"):
        reader.feed(element.proto.body)
    return reader


def words(shown: AppTest) -> str:
    """All that a page says: HTML of ours and Streamlit's own texts, what a pointer sees included."""
    reader = _read(shown)
    own = [
        *shown.markdown,
        *shown.caption,
        *shown.info,
        *shown.warning,
        *shown.error,
        *shown.success,
    ]
    return " ".join([*reader.words, *reader.titles, *(e.value for e in own)])


def links(shown: AppTest) -> dict[str, str]:
    """Addresses of links of ours by what stands on them; of two with one name the last."""
    return _read(shown).links


def tables(shown: AppTest) -> list[list[dict[str, str]]]:
    """Rows of tables of ours by column title."""
    return [
        [dict(zip(table[0], row, strict=True)) for row in table[1:]]
        for table in _read(shown).tables
    ]


def tiles(shown: AppTest) -> dict[str, str]:
    """Values of tiles by label."""
    return {label: value for label, value, *_ in _read(shown).tiles}


def title(shown: AppTest) -> str:
    """The heading of the frame; empty where somebody was turned away."""
    found = [e.proto.body for e in shown.get("html") if "<h1>" in e.proto.body]
    return found[0].partition("<h1>")[2].partition("</h1>")[0] if found else ""
