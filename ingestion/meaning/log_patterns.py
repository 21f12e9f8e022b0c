"""What log records have in common: the pattern of a body, and the word for a severity.

Here: both, for Python and SQL. A body is a skeleton already (the gate masks words of people); its pattern is
without numbers and ids, so that records of one line of a program share it. Not here: counting them
(`live_tail/window`, `dbt/models`).
"""

from functools import lru_cache

from ingestion.meaning.errors.messages import parameterise

NO_TEXT = "(no text)"
LONGEST_BODY = 500
"""Characters of a body that are shown of a single record."""

_WORDS = ((1, "trace"), (5, "debug"), (9, "info"), (13, "warning"), (17, "error"), (21, "fatal"))
_LAST = 24


@lru_cache(maxsize=8_192)
def pattern_of(text: str) -> str:
    """The body without what varies, at most 400 characters; `NO_TEXT` for an empty one."""
    return parameterise(text) or NO_TEXT


def severity_of(number: int) -> str:
    """trace, debug, info, warning, error, fatal; unspecified for what is no number of OpenTelemetry's."""
    if not 1 <= number <= _LAST:
        return "unspecified"
    return next(word for least, word in reversed(_WORDS) if number >= least)


def severity_sql(number: str) -> str:
    """DuckDB's SQL for `severity_of` of an expression that is not null."""
    cases = " ".join(f"WHEN {number} >= {least} THEN '{word}'" for least, word in reversed(_WORDS))
    return f"CASE WHEN {number} NOT BETWEEN 1 AND {_LAST} THEN 'unspecified' {cases} END"


def key_sql(pattern: str) -> str:
    """DuckDB's SQL for the key of a pattern: 14 hex digits behind a letter: no scan takes it for a number."""
    return f"'t' || left(md5({pattern}), 14)"
