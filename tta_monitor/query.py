"""Read-only questions to a published copy, with limits on time and rows."""

import csv
import io
import json
import re
import threading
from dataclasses import dataclass
from typing import Any

import duckdb

from ingestion.lake.duck import NotPublished, open_published
from ingestion.settings import Settings
from tta_monitor.console.problems import Problem

MAX_ROWS = 10_000
MAX_SECONDS = 30.0
_READS = re.compile(
    r"\s*(?:SELECT|WITH|DESCRIBE|SHOW|SUMMARIZE|FROM|VALUES|PIVOT)\b", re.IGNORECASE
)

_NO_TABLE = re.compile(r"Catalog Error: Table with name (\S+) does not exist")


@dataclass(frozen=True)
class Answer:
    """Column names, rows, and whether rows were cut at the limit."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    is_cut: bool


def ask(
    settings: Settings,
    sql: str,
    audience: str,
    *,
    max_rows: int = MAX_ROWS,
    max_s: float = MAX_SECONDS,
) -> Answer:
    """Run one reading statement; raises Problem with the cause and the fix."""
    if not _READS.match(sql) or ";" in sql.strip().rstrip(";"):
        raise Problem("only one SELECT, WITH, DESCRIBE, SHOW or SUMMARIZE statement can be asked.")
    try:
        con = open_published(settings, audience)
    except NotPublished as error:
        raise Problem(str(error)) from None
    timer = threading.Timer(max_s, con.interrupt)
    timer.start()
    try:
        result = con.execute(sql)
        columns = [column[0] for column in result.description or []]
        rows = result.fetchmany(max_rows + 1)
    except duckdb.InterruptException:
        raise Problem(f"the query took longer than {max_s:.0f} s: narrow it down.") from None
    except duckdb.OutOfMemoryException:
        raise Problem(
            "the query needs more than 1 GB of memory: aggregate, filter or limit before sorting."
        ) from None
    except duckdb.CatalogException as error:
        raise Problem(_not_there(con, audience, str(error))) from None
    except duckdb.Error as error:
        raise Problem(f"the query is not valid: {error}") from None
    finally:
        timer.cancel()
        con.close()
    return Answer(columns, rows[:max_rows], len(rows) > max_rows)


def _not_there(con: duckdb.DuckDBPyConnection, audience: str, said: str) -> str:
    """What is missing; for a table, which ones there are instead."""
    missing = _NO_TABLE.match(said)
    if missing is None:
        return f"the query is not valid: {said}"
    there = [
        row[0]
        for row in con.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
    ]
    return (
        f"there is no table {missing[1]} in what is published for {audience}; there are "
        f"{', '.join(there) or 'none'}."
    )


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
