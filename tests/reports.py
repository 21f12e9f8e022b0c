"""Made-up reports, and the numbers that stand in each of their formats.

Here: documents for tests, reading PDF, CSV, JSON and HTML back. Not here: reports of real marts.
"""

import csv
import io
import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pypdf

from dagster_project.reporting.document.figures import Column, Figure, figure, table
from dagster_project.reporting.document.report_document import Chart, Document
from dagster_project.reporting.document.report_periods import Cadence, ReportPeriod

DAY = ReportPeriod(Cadence.DAILY, date(2026, 11, 29))
FIGURES = (
    figure("Availability", 99.531, 99.2, unit="%", digits=2, better="up"),
    figure("Requests", 1_920, 1_800),
    figure("p95 latency", 412.25, 380.5, unit="ms", digits=1, better="down"),
    figure("AI calls", None, 7, missing="No call of an AI model was measured."),
    figure("Alerts", 3, 0, better="down"),
)


def document(
    rows: list[tuple[Any, ...]] | None = None, figures: tuple[Figure, ...] = FIGURES, **changed: Any
) -> Document:
    """A document with these rows (name, number of two decimals, whole number)."""
    columns = (Column("Name"), Column("Share, %", 2), Column("Count", 0))
    points = [
        (DAY.start_at + timedelta(hours=n), name, n * 10 + len(name))
        for n in range(24)
        for name in ("answered", "failed")
    ]
    known: dict[str, Any] = {
        "kind": "daily-operations",
        "title": "Daily operations",
        "audience": "operations",
        "period": DAY,
        "is_over": True,
        "state": "warning",
        "verdict": "The objective was met, with alerts: 99.53 % of 1,920 requests were answered.",
        "figures": figures,
        "charts": (
            Chart("Requests by hour", "bars", "requests", 3_600, tuple(points)),
            Chart("Latency", "lines", "ms", 3_600, tuple(points), threshold=(100.0, "objective")),
            Chart("Nothing", "lines", "ms", 3_600, ()),
        ),
        "tables": (
            table("Components", columns, rows or [("api", 1.25, 1_200), ("web", None, 0)]),
            table("Alerts", columns, [], empty="No alert fired."),
        ),
        "method": ("Requests are server spans.",),
        "as_of": datetime(2026, 11, 30, 0, 10, tzinfo=UTC),
        "generated_at": datetime(2026, 11, 30, 0, 20, tzinfo=UTC),
    }
    return Document(**{**known, **changed})


def pdf_text(content: bytes) -> str:
    """All text of a PDF, each run of white space one blank."""
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


@dataclass
class HtmlReport(HTMLParser):
    """The words of an HTML report, and its tables by rows and cells, the header first."""

    words: list[str] = field(default_factory=list)
    tables: list[list[list[str]]] = field(default_factory=list)
    is_in_cell: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.is_in_cell = True
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self.is_in_cell = self.is_in_cell and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self.is_in_cell:
            self.tables[-1][-1][-1] += data


def html_of(content: bytes) -> HtmlReport:
    """An HTML report, read."""
    reader = HtmlReport()
    reader.feed(content.decode())
    return reader


def json_of(content: bytes) -> dict[str, Any]:
    """The object of a JSON report."""
    return json.loads(content)


def csv_parts(content: bytes) -> dict[str, list[dict[str, str]]]:
    """The parts of a CSV report by title, rows by column."""
    found: dict[str, list[dict[str, str]]] = {}
    for block in content.decode().split("\n\n")[1:]:
        title, _, rest = block.partition("\n")
        lines = list(csv.reader(io.StringIO(rest)))
        if lines and not rest.startswith("#"):
            head, *rows = lines
            found[title.removeprefix("# ")] = [dict(zip(head, r, strict=True)) for r in rows if r]
    return found
