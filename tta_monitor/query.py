"""Answers of published copies for the command line: asking within limits, as JSON or CSV.

Not here: what may be asked and what stops a greedy question (`ingestion/lake/guarded_sql`).
"""

import csv
import io
import json

from ingestion.lake import guarded_sql
from ingestion.lake.guarded_sql import Answer, Limits, Refused
from ingestion.settings import Settings
from tta_monitor.console.problems import Problem

MAX_ROWS = 10_000
MAX_SECONDS = 30.0


def ask(
    settings: Settings,
    sql: str,
    audience: str,
    *,
    max_rows: int = MAX_ROWS,
    max_s: float = MAX_SECONDS,
) -> Answer:
    """Run one reading statement; raises Problem with the cause and the fix."""
    try:
        return guarded_sql.ask(settings, sql, audience, Limits(rows=max_rows, seconds=max_s))
    except Refused as problem:
        raise Problem(str(problem)) from None


def as_json(answer: Answer) -> str:
    """Rows as a JSON array of objects; times in ISO 8601."""
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    return json.dumps(rows, default=str, indent=None)


def as_csv(answer: Answer) -> str:
    """Rows as CSV with a header (RFC 4180)."""
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow(answer.columns)
    writer.writerows(answer.rows)
    return sink.getvalue()
