"""A document in all its formats at once: charts are drawn once for those that show them."""

from dagster_project.reporting.document.report_document import Document

FORMS = ("pdf", "csv", "json", "html")
MIME = {
    "pdf": "application/pdf",
    "csv": "text/csv",
    "json": "application/json",
    "html": "text/html",
}


def rendered(document: Document) -> dict[str, bytes]:
    """Bytes by format; raises PictureProblem when a chart cannot be drawn."""
    # Pandas, Altair and reportlab take a second to import: whoever only lists reports never does.
    from dagster_project.reporting.rendering.csv_text import as_csv  # noqa: PLC0415
    from dagster_project.reporting.rendering.drawn_charts import drawn  # noqa: PLC0415
    from dagster_project.reporting.rendering.html_page import as_html  # noqa: PLC0415
    from dagster_project.reporting.rendering.json_text import as_json  # noqa: PLC0415
    from dagster_project.reporting.rendering.pdf_pages import as_pdf  # noqa: PLC0415

    drawings = drawn(document)
    return {
        "pdf": as_pdf(document, drawings),
        "csv": as_csv(document),
        "json": as_json(document),
        "html": as_html(document, drawings),
    }
