"""What every format says beside the numbers, in the same words.

Here: names of states, the lines about period and edition. Not here: any layout.
"""

from dagster_project.reporting.document.report_document import Document

PRODUCT = "TTA Monitor"
STATES = {"ok": "All well", "warning": "Warning", "critical": "Critical", "unknown": "Unknown"}


def about(document: Document) -> dict[str, str]:
    """What a report is, line by line: title, period, range, edition, data, when it was made."""
    period = document.period
    range_words = f"{period.local(period.start_at)} to {period.local(period.end_at)} {period.zone}"
    return {
        "report": document.title,
        "period": period.words + ("" if document.is_over else " (not over)"),
        "range": range_words,
        "state": STATES[document.state],
        "data as of": f"{document.as_of:%Y-%m-%d %H:%M} UTC",
        "generated at": f"{document.generated_at:%Y-%m-%d %H:%M} UTC",
        "edition": document.edition,
    }


def compared(document: Document) -> str:
    """What changes are against."""
    return (
        f"Changes are against {document.period.previous_words}, {document.period.previous.label}."
    )
