"""What is down, not ready or silent, as the hot window shows it: questions to its tables.

Here: how long a probe, a call and a check of a dependency are believed. Not here: which fact a rule selects
(`facts`), what a probe and a dependency are (`ingestion/meaning/signals.yaml`).
"""

from datetime import datetime

from ingestion.meaning.signals import load_signals
from live_tail.alerts.reading.hot_tables import HotTables, Rows, asked

_S = load_signals()
# A probe is believed for three minutes, an unreachable dependency for 90 s without news. Counters of
# checks and calls speak by how they grew up to their newest point; one that its siblings were there
# before began at zero.
_DEPENDENCY_DOWN = """
WITH probes AS (
    SELECT dependency, bool_or(NOT is_up) AS is_down FROM (
        SELECT dependency, target, component, kind, max_by(is_up, event_at) AS is_up
        FROM hot_probes
        WHERE dependency IS NOT NULL AND event_at > $at - INTERVAL 3 MINUTES AND event_at <= $at
        GROUP BY ALL
    ) GROUP BY dependency
),
calls AS (
    SELECT dependency, address, sum(bad) AS bad, sum(probes_bad) AS probes_bad,
        max(last_good_at) AS good_at, max(last_bad_at) AS bad_at,
        sum(bad) FILTER (WHERE bucket_at > $at - INTERVAL 30 SECONDS) AS bad_now,
        sum(good) FILTER (WHERE bucket_at > $at - INTERVAL 30 SECONDS) AS good_now
    FROM hot_dependency_calls WHERE bucket_at > $at - INTERVAL 90 SECONDS AND bucket_at <= $at
    GROUP BY dependency, address
),
judged AS (
    SELECT dependency, bool_or(
        (bad_at > coalesce(CASE WHEN address = '' THEN any_good_at ELSE good_at END, 'epoch'::TIMESTAMP)
            AND (bad >= 2 OR probes_bad >= 1))
        OR (bad_now >= 5 AND bad_now >= good_now)) AS is_down
    FROM (SELECT *, max(good_at) OVER (PARTITION BY dependency) AS any_good_at FROM calls)
    GROUP BY dependency
),
steps AS (
    SELECT *, lag(n) OVER one AS before, lag(event_at) OVER one AS before_at,
        min(event_at) OVER (PARTITION BY target, component) AS born_at
    FROM hot_checks WHERE event_at > $at - INTERVAL 15 MINUTES AND event_at <= $at
    WINDOW one AS (PARTITION BY series ORDER BY event_at)
),
grown AS (
    SELECT dependency, target, component, event_at, is_bad, least, CASE
        WHEN is_delta OR n < before OR start_at > before_at THEN n
        WHEN before IS NOT NULL THEN n - before
        WHEN born_at < event_at THEN n ELSE 0 END AS n
    FROM steps
),
checks AS (
    SELECT dependency, target, component, event_at, max(least) AS least,
        coalesce(sum(n) FILTER (WHERE is_bad), 0) AS bad,
        coalesce(sum(n) FILTER (WHERE NOT is_bad), 0) AS good
    FROM grown WHERE n > 0 AND event_at > $at - INTERVAL 3 MINUTES
    GROUP BY dependency, target, component, event_at
    QUALIFY row_number() OVER (PARTITION BY dependency, target, component ORDER BY event_at DESC) = 1
),
checked AS (
    SELECT dependency, bool_or(bad >= least AND bad >= good) AS is_down FROM checks GROUP BY dependency
)
SELECT dependency, max(coalesce(is_down, false)::INTEGER)
FROM (FROM probes UNION ALL FROM judged UNION ALL FROM checked) GROUP BY dependency
"""
# Without anything bad within these times the question above has this answer.
_ANYTHING_BAD = """
SELECT dependency, max(bad) FROM (
    SELECT dependency, (NOT is_up)::INTEGER AS bad FROM hot_probes
    WHERE dependency IS NOT NULL AND event_at > $at - INTERVAL 3 MINUTES AND event_at <= $at
    UNION ALL
    SELECT dependency, (bad > 0 OR probes_bad > 0)::INTEGER FROM hot_dependency_calls
    WHERE bucket_at > $at - INTERVAL 90 SECONDS AND bucket_at <= $at
) GROUP BY dependency
"""
_SERVICE_DOWN = """
SELECT target, max((NOT is_up)::INTEGER) FROM (
    SELECT target, component, max_by(is_up, event_at) AS is_up FROM hot_probes
    WHERE kind = $kind AND dependency IS NULL AND event_at > $at - INTERVAL 3 MINUTES
        AND event_at <= $at
    GROUP BY ALL
) GROUP BY target
"""
_SPORADIC = ", ".join(f"'{name}'" for name in _S.sporadic_components)
_SILENT = f"""
SELECT component, date_diff('second', max(last_at), $at)
FROM hot_sightings WHERE component NOT IN ({_SPORADIC}) AND NOT is_history
GROUP BY component HAVING count(DISTINCT date_trunc('minute', received_at)) >= 5
"""
CALLED = ("hot_dependency_calls", "hot_probes")
_BAD = (_ANYTHING_BAD, CALLED)
_DOWN = (_DEPENDENCY_DOWN, (*CALLED, "hot_checks"))
PROBED = (_SERVICE_DOWN, ("hot_probes",))
HEARD = (_SILENT, ("hot_sightings",))


def named(
    tables: HotTables, question: tuple[str, tuple[str, ...]], label: str, **bound: object
) -> Rows:
    """Rows of a question about names of one kind, each under this label."""
    sql, names = question
    return [({label: name}, float(v)) for name, v in asked(tables, names, sql, bound)]


def dependency_down(tables: HotTables, at: datetime) -> Rows:
    """Whether each dependency is down; while all is well a fraction of the work tells so."""
    if not tables.has("hot_checks"):
        rows = named(tables, _BAD, "dependency", at=at)
        if not any(value for _, value in rows):
            return rows
    return named(tables, _DOWN, "dependency", at=at)
