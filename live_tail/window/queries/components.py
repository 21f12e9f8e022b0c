"""Queries about components, hosts and the door.

Here: SQL. Not here: requests and calls (`requests`, `calls`).
"""

from live_tail.window.queries.named_query import P95, STEP, STEP_SQL, TIMED, NamedQuery, where
from live_tail.window.shared_figures import HOST_FIGURES

# Down: a probe says so, or a component that was heard all the time before is silent for 3 min. What arrived
# as history (`history`) tells what was: who is heard of there alone is neither up nor down.
_COMPONENTS = f"""
WITH seen_by AS (
    SELECT component, max_by(version, last_at) AS version, max_by(environment, last_at) AS environment,
        count(DISTINCT instance) AS instance_count, min(first_at) AS first_seen_at,
        max(last_at) AS last_seen_at, max(last_at) FILTER (NOT is_history) AS last_heard_at,
        count(DISTINCT date_trunc('minute', bucket_at)) FILTER (NOT is_history) AS minutes_heard,
        date_diff('minute', min(bucket_at) FILTER (NOT is_history),
            max(bucket_at) FILTER (NOT is_history)) + 1 AS minutes_known
    FROM hot_sightings GROUP BY component
),
recent AS (
    SELECT component, log_bucket, sum(request_count) AS n, sum(error_count) AS errors,
        max(ms_max) AS longest_ms
    FROM hot_requests WHERE bucket_at >= $now - INTERVAL 5 MINUTES GROUP BY 1, 2
),
running AS (
    SELECT *, sum(n) OVER (PARTITION BY component ORDER BY log_bucket) AS so_far,
        sum(n) OVER (PARTITION BY component) AS total FROM recent
),
rates AS (
    SELECT component, sum(n) AS requests, sum(n) / 300.0 AS request_per_s,
        100.0 * sum(errors) / sum(n) AS error_pct, {P95} AS p95_ms
    FROM running GROUP BY component
),
minutes AS (
    SELECT component, list(n ORDER BY minute_at) AS requests_by_minute FROM (
        SELECT s.component, m.minute_at, coalesce(sum(r.request_count), 0)::BIGINT AS n
        FROM (SELECT DISTINCT component FROM hot_requests) AS s
        CROSS JOIN (
            SELECT unnest(generate_series(date_trunc('minute', $now) - INTERVAL 59 MINUTES,
                date_trunc('minute', $now), INTERVAL 1 MINUTE)) AS minute_at
        ) AS m
        LEFT JOIN hot_requests AS r
            ON r.component = s.component AND date_trunc('minute', r.bucket_at) = m.minute_at
        GROUP BY 1, 2
    ) GROUP BY component
),
probes AS (
    SELECT service AS component,
        CASE WHEN max(event_at) > $now - INTERVAL 3 MINUTES THEN max_by(value, event_at) END AS up
    FROM hot_service_up GROUP BY 1
),
joined AS (
    SELECT coalesce(s.component, p.component) AS component, s.version, s.environment,
        s.instance_count, s.first_seen_at, s.last_seen_at, r.request_per_s, r.error_pct, r.p95_ms,
        m.requests_by_minute, p.up, r.requests,
        s.minutes_heard >= 5 AND s.minutes_heard >= 0.8 * s.minutes_known AS is_steady,
        date_diff('second', s.last_heard_at, $now) AS silent_s
    FROM seen_by AS s FULL JOIN probes AS p ON p.component = s.component
    LEFT JOIN rates AS r ON r.component = s.component
    LEFT JOIN minutes AS m ON m.component = s.component
)
SELECT component, version, environment, instance_count, first_seen_at, last_seen_at,
    CASE WHEN up = 0 THEN 'down'
        WHEN silent_s > 180 AND is_steady THEN 'down'
        WHEN error_pct >= 5 AND requests >= 10 THEN 'degraded'
        WHEN silent_s <= 180 OR up = 1 THEN 'ok'
        ELSE 'unknown' END AS state,
    CASE WHEN up = 0 THEN 'probe says down'
        WHEN silent_s > 180 THEN 'no data for ' || (silent_s // 60) || ' min'
        WHEN error_pct >= 5 AND requests >= 10 THEN round(error_pct, 1) || ' % errors'
        WHEN silent_s IS NULL AND last_seen_at IS NOT NULL THEN 'history only'
        WHEN silent_s IS NULL THEN 'seen by probe only'
        ELSE '' END AS state_reason,
    request_per_s, error_pct, p95_ms, requests_by_minute
FROM joined
ORDER BY CASE state WHEN 'down' THEN 0 WHEN 'degraded' THEN 1 WHEN 'unknown' THEN 2 ELSE 3 END, component
"""

_RELEASES = """
SELECT component, coalesce(version, '') AS version, coalesce(environment, '') AS environment,
    min(first_at) AS first_seen_at, max(last_at) AS last_seen_at
FROM hot_sightings WHERE $component IS NULL OR component = $component GROUP BY 1, 2, 3
ORDER BY first_seen_at, component, version
"""

QUERIES: dict[str, NamedQuery] = {
    "components": NamedQuery("Every component with its state, worst first.", _COMPONENTS, {}),
    "releases": NamedQuery(
        "Releases that were heard in the window, with first and last time.",
        _RELEASES,
        {"component": TIMED["component"]},
    ),
    "host": NamedQuery(
        "Load of hosts by time.",
        f"SELECT {STEP_SQL} AS bucket_at, host, {HOST_FIGURES}"
        " FROM hot_host WHERE bucket_at >= $start AND bucket_at < $end GROUP BY 1, 2 ORDER BY 1, 2",
        {**{name: TIMED[name] for name in ("minutes", "start_at", "end_at")}, "step_s": STEP},
    ),
    "platform": NamedQuery(
        "Items at the door by component and signal.",
        "SELECT component, signal,"
        " coalesce(sum(items) FILTER (WHERE outcome = 'arrived'), 0)::BIGINT AS arrived_items,"
        " coalesce(sum(items) FILTER (WHERE outcome = 'accepted'), 0)::BIGINT AS accepted_items,"
        " coalesce(sum(items) FILTER (WHERE outcome = 'rejected'), 0)::BIGINT AS rejected_items,"
        " coalesce(sum(items) FILTER (WHERE outcome = 'dropped'), 0)::BIGINT AS dropped_items,"
        " coalesce(sum(items) FILTER (WHERE outcome = 'duplicate'), 0)::BIGINT AS duplicate_items,"
        " coalesce(sum(items) FILTER (WHERE outcome = 'noted'), 0)::BIGINT AS noted_items"
        f" FROM hot_ledger WHERE {where(TIMED)} GROUP BY 1, 2 ORDER BY 1, 2",
        TIMED,
    ),
}
