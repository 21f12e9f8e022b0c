"""A report as CSV (RFC 4180): lines about it that begin with #, then figures, tables and chart data.

Each part begins with a line `# name` and its own header. Numbers are plain, what nobody measured is empty.
A text that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, CSV injection).
"""

import csv
import io
from collections.abc import Iterable, Sequence

from dagster_project.reporting.document.figures import Value
from dagster_project.reporting.document.report_document import Document
from dagster_project.reporting.rendering.report_words import about

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(document: Document) -> bytes:
    """All of it, UTF-8."""
    sink = io.StringIO()
    for name, text in {**about(document), "verdict": document.verdict}.items():
        sink.write(f"# {name}: {_line(text)}\n")
    figures = [
        (f.name, f.value, f.unit, f.before, f.change, _change_unit(f.change, f.is_points))
        for f in document.figures
    ]
    head = ("figure", "value", "unit", "before", "change", "change_unit")
    _part(sink, "Figures", head, figures)
    for one in document.tables:
        _part(sink, one.title, [column.title for column in one.columns], one.rows)
    for chart in document.charts:
        points = [(at.isoformat(), name, value) for at, name, value in chart.points]
        _part(sink, f"{chart.title} (chart)", ("from", "series", chart.unit or "value"), points)
    sink.write("\n# Method\n" + "".join(f"# {_line(text)}\n" for text in document.method))
    return sink.getvalue().encode()


def _change_unit(change: float | None, is_points: bool) -> str:
    return "" if change is None else "pt" if is_points else "%"


def _part(
    sink: io.StringIO, title: str, head: Sequence[str], rows: Iterable[Sequence[Value]]
) -> None:
    sink.write(f"\n# {_line(title)}\n")
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow([_cell(name) for name in head])
    writer.writerows([_cell(value) for value in row] for row in rows)


def _cell(value: Value) -> Value:
    if not isinstance(value, str):
        return "" if value is None else value
    return f"'{value}" if value.startswith(_FORMULA) else value


def _line(text: str) -> str:
    return " ".join(text.split())
