"""Log records: lines, and how often each pattern came.

Here: one function per question. Not here: errors among them (`errors`). Bodies are skeletons. The live window
holds the newest lines; of older ones the marts keep five for each pattern and ten minutes.
"""

from streamlit_app.readings import ranges, source
from streamlit_app.readings.source import Reading
from streamlit_app.view import View

_FILTERS = (*ranges.RELEASED, "severity")
_PATTERN = "($pattern IS NULL OR pattern_key = $pattern)"
_WORDS = """len(list_filter(
    list_filter(string_split(lower($q), ' '), lambda w: w <> ''),
    lambda w: NOT contains(lower({text} || ' ' || component), w)
)) = 0"""
_LEAST_STEP_S = 60


def lines(view: View, pattern: str | None = None, limit: int = 200) -> Reading:
    """event_at, component, version, environment, severity, body, pattern_key, ids; newest first."""
    given = {"pattern": pattern, "limit": limit}
    if ranges.is_live(view):
        return source.live("logs", q=view.search or None, **ranges.asked(view, *_FILTERS), **given)
    sql = f"""
        SELECT * REPLACE (event_at AT TIME ZONE 'UTC' AS event_at) FROM fct_log_lines
        WHERE {ranges.within(*_FILTERS, time="event_at")} AND {_PATTERN} AND {_WORDS.format(text="body")}
        ORDER BY event_at DESC, component, body LIMIT $limit"""
    return source.marts(sql, **ranges.bound(view, *_FILTERS), q=view.search, **given)


def patterns(view: View, pattern: str | None = None, limit: int = 200) -> Reading:
    """component, severity, pattern_key, pattern, line_count, first_at (its minute), last_at; most first."""
    given = {"pattern": pattern, "limit": limit}
    if ranges.is_live(view):
        found = source.live(
            "log_patterns", q=view.search or None, **ranges.asked(view, *_FILTERS), **given
        )
        return found
    sql = f"""
        SELECT component, severity, pattern_key, pattern, sum(line_count)::BIGINT AS line_count,
            min(minute_at) AT TIME ZONE 'UTC' AS first_at, max(last_at) AT TIME ZONE 'UTC' AS last_at
        FROM fct_log_patterns_minutely
        WHERE {ranges.within(*_FILTERS)} AND {_PATTERN} AND {_WORDS.format(text="pattern")}
        GROUP BY component, severity, pattern_key, pattern
        ORDER BY line_count DESC, component, severity, pattern LIMIT $limit"""
    return source.marts(sql, **ranges.bound(view, *_FILTERS), q=view.search, **given)


def counts(view: View, pattern: str | None = None) -> Reading:
    """bucket_at, component, severity, pattern_key, line_count: the trend, in buckets of `step_s`."""
    step = step_s(view)
    if ranges.is_live(view):
        return source.live(
            "log_counts", step_s=step, q=view.search or None, pattern=pattern,
            **ranges.asked(view, *_FILTERS),
        )  # fmt: skip
    sql = f"""
        SELECT time_bucket(INTERVAL {step} SECONDS, minute_at) AS bucket_at, component, severity,
            pattern_key, sum(line_count)::BIGINT AS line_count
        FROM fct_log_patterns_minutely
        WHERE {ranges.within(*_FILTERS)} AND {_PATTERN} AND {_WORDS.format(text="pattern")}
        GROUP BY ALL ORDER BY ALL"""
    return source.marts(sql, **ranges.bound(view, *_FILTERS), q=view.search, pattern=pattern)


def step_s(view: View) -> int:
    """Seconds of a bucket of `counts`: patterns are counted by the minute."""
    return view.step_s(_LEAST_STEP_S)
