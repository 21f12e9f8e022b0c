"""Questions in SQL to a published copy, by people: one reading statement, within limits.

Here: what may be asked, and what stops a greedy question: an estimate before it runs, then time, memory and
rows. Not here: who may ask which copy (`privacy/access/access_policy`), printing (`tta_monitor/query`).
The connection sees one copy, no file and no setting, and spills nothing: a question leaves no file.
"""

import json
import re
import threading
import time
from dataclasses import dataclass
from typing import Any

import duckdb

from ingestion.lake.duck import NotPublished, open_published
from ingestion.settings import Settings

_READS = re.compile(
    r"\s*(?:SELECT|WITH|DESCRIBE|SHOW|SUMMARIZE|FROM|VALUES|PIVOT)\b", re.IGNORECASE
)
_COMMENTS = re.compile(r"\A(?:\s*(?:--[^\n]*(?:\n|\Z)|/\*.*?\*/))+", re.DOTALL)
_NO_TABLE = re.compile(r"Catalog Error: Table with name (\S+) does not exist")
_NO_COLUMN = re.compile(r'Binder Error: Referenced column "?([^"\s]+)"? not found')
_CANDIDATES = re.compile(r"Candidate bindings: ([^\n]+)")
_PLACE = re.compile(r"LINE (\d+): ([^\n]*)\n([ ]*)\^")
_KIND = re.compile(r"\A([A-Z][A-Za-z]*(?: [A-Z][A-Za-z]*)*) Error: ")
_AT_ONCE = 500
_ONE = "only one SELECT, WITH, DESCRIBE, SHOW or SUMMARIZE statement can be asked."


class Refused(Exception):
    """A question is not answered; the message says why and how to ask it."""


@dataclass(frozen=True)
class Limits:
    """What one question may take: rows returned and how large they are, seconds, memory (`1 GB`), and rows
    that all its steps pass on by estimate."""

    rows: int = 10_000
    seconds: float = 30.0
    memory: str = "1 GB"
    passed_rows: float = float("inf")
    answer_mb: float = float("inf")


@dataclass(frozen=True)
class Answer:
    """Column names, DuckDB's type of each, rows, whether rows were cut at the limit, and seconds taken."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    is_cut: bool
    types: list[str]
    took_s: float


def ask(settings: Settings, sql: str, audience: str, limits: Limits = Limits()) -> Answer:
    """Answer one reading statement. Raises Refused with the cause and the fix."""
    try:
        con = open_published(settings, audience, memory_limit=limits.memory)
    except NotPublished as problem:
        raise Refused(str(problem)) from None
    timer = threading.Timer(limits.seconds, con.interrupt)
    timer.start()
    started = time.perf_counter()
    try:
        _check(con, sql, limits)
        result = con.execute(sql)
        described = result.description or []
        rows = _rows(result, limits)
        took_s = time.perf_counter() - started
    except duckdb.InterruptException:
        raise Refused(
            f"the query took longer than {limits.seconds:.0f} s and was stopped: narrow it down."
        ) from None
    except duckdb.OutOfMemoryException:
        raise Refused(
            f"the query needs more than {limits.memory} of memory and was stopped: aggregate, filter or "
            "limit before sorting."
        ) from None
    except duckdb.Error as error:
        raise Refused(_in_words(con, audience, str(error))) from None
    finally:
        timer.cancel()
        con.close()
    return Answer(
        [column[0] for column in described],
        rows[: limits.rows],
        len(rows) > limits.rows,
        [str(column[1]) for column in described],
        took_s,
    )


def _rows(result: duckdb.DuckDBPyConnection, limits: Limits) -> list[tuple[Any, ...]]:
    """One row more than the limit, if there are as many. Raises Refused for too large an answer."""
    rows: list[tuple[Any, ...]] = []
    letters = 0
    while len(rows) <= limits.rows:
        some = result.fetchmany(min(_AT_ONCE, limits.rows + 1 - len(rows)))
        if not some:
            break
        letters += sum(
            len(str(cell)) for row in some for cell in row if not isinstance(cell, float | int)
        )
        if letters > limits.answer_mb * 1e6:
            raise Refused(
                f"the answer is larger than {limits.answer_mb:.0f} MB: choose fewer columns or rows."
            )
        rows += some
    return rows


def _check(con: duckdb.DuckDBPyConnection, sql: str, limits: Limits) -> None:
    """Raises Refused for anything but one reading statement, or one that would pass too many rows."""
    plain = _COMMENTS.sub("", sql)
    if not _READS.match(plain):
        raise Refused(_ONE)
    kinds = [statement.type.name for statement in con.extract_statements(sql)]
    # A pivot over values that it has to find first is two statements to DuckDB.
    is_pivot = plain.lstrip()[:5].upper() == "PIVOT" and kinds == ["CREATE", "SELECT"]
    if kinds != ["SELECT"] and not is_pivot:
        raise Refused(_ONE)
    if limits.passed_rows != float("inf") and not is_pivot:
        passed = estimated_rows(con, sql)
        if passed > limits.passed_rows:
            raise Refused(
                f"the query would pass about {passed:,.0f} rows, more than {limits.passed_rows:,.0f}, and "
                "was not run: join on a key, or filter by time before joining."
            )


def estimated_rows(con: duckdb.DuckDBPyConnection, sql: str) -> float:
    """How many rows all steps of a statement pass on, by DuckDB's own estimate."""
    (row,) = con.execute(f"EXPLAIN (FORMAT JSON) {sql}").fetchall()
    return sum(_step_rows(step) for step in json.loads(row[1]))


def _step_rows(step: dict[str, Any]) -> float:
    own = float(step.get("extra_info", {}).get("Estimated Cardinality", 0) or 0)
    below = [_step_rows(child) for child in step.get("children", ())]
    if step.get("name") in {"CROSS_PRODUCT", "BLOCKWISE_NL_JOIN", "NESTED_LOOP_JOIN"}:
        # These are as large as their sides multiplied, whatever the estimate of what is left of them.
        sides = [_output_rows(child) for child in step["children"]]
        own = max(own, sides[0] * sides[1] if len(sides) == 2 else 0)
    return own + sum(below)


def _output_rows(step: dict[str, Any]) -> float:
    """How many rows a step hands on; one that says nothing hands on what it got."""
    told = step.get("extra_info", {}).get("Estimated Cardinality")
    if told:
        return float(told)
    return max((_output_rows(child) for child in step.get("children", ())), default=1.0)


def _in_words(con: duckdb.DuckDBPyConnection, audience: str, said: str) -> str:
    """What DuckDB says, as a sentence: what is wrong, where, and what there is instead."""
    missing = _NO_TABLE.match(said)
    if missing:
        return (
            f"there is no table {missing[1]} in what is published for {audience}; there are "
            f"{', '.join(tables(con)) or 'none'}."
        )
    column, candidates = _NO_COLUMN.match(said), _CANDIDATES.search(said)
    if column:
        near = f"; near it there is {candidates[1]}" if candidates else ""
        return f"there is no column {column[1]}{near}.{_place(said)}"
    if said.startswith("Permission Error"):
        return (
            f"the query reads what is no table: files and settings cannot be asked.{_place(said)}"
        )
    first = _KIND.sub("", said.partition("\n")[0]).rstrip(".")
    return f"the query is not valid: {first}.{_place(said)}"


def _place(said: str) -> str:
    found = _PLACE.search(said)
    if not found:
        return ""
    line = found[2]
    column = len(found[3]) - len(f"LINE {found[1]}: ") + 1
    return f" It is in line {found[1]}, at “{line[max(column - 1, 0) :][:40].strip()}”."


def tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    """The tables of an open copy, by name."""
    rows = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'published' ORDER BY 1"
    ).fetchall()
    return [row[0] for row in rows]
