"""A report as JSON: the whole document, numbers as numbers, what nobody measured as null."""

import json

from dagster_project.reporting.document.report_document import Document, restored


def as_json(document: Document) -> bytes:
    """One object, UTF-8."""
    return (json.dumps(document.record(), indent=1, ensure_ascii=False) + "\n").encode()


def from_json(content: bytes) -> Document:
    """The document of such bytes; raises ValueError for what is none."""
    try:
        return restored(json.loads(content))
    except (KeyError, TypeError) as error:
        raise ValueError(f"this is no report ({type(error).__name__})") from None
