"""Evidence of what is down and what failed, in 5-second buckets of the hot window.

Here: tables of probes, of operations per dependency and of failures, filled from what the window
finds new. Not here: what names mean (`signals.yaml`), requests and latency (`window`), verdicts
(`live_tail/alerts`).
"""

from live_tail.signals import load_signals

FAILURES_TABLE = """
CREATE TABLE hot_failures (bucket_at TIMESTAMP, component VARCHAR, route VARCHAR, name VARCHAR,
    exception_type VARCHAR, area VARCHAR, failures BIGINT);
"""
SCHEMA = f"""
CREATE TABLE hot_probes (bucket_at TIMESTAMP, target VARCHAR, dependency VARCHAR, component VARCHAR,
    kind VARCHAR, event_at TIMESTAMP, is_up BOOLEAN);
CREATE TABLE hot_dependency_calls (bucket_at TIMESTAMP, dependency VARCHAR, address VARCHAR,
    component VARCHAR, source VARCHAR, good BIGINT, bad BIGINT, last_good_at TIMESTAMP,
    last_bad_at TIMESTAMP, probes_bad BIGINT);
{FAILURES_TABLE}"""
TABLES = ("hot_probes", "hot_dependency_calls", "hot_failures")
_S = load_signals()
_EXCEPTION = "list_filter(list_transform(events, e -> e.attributes['exception.type']), t -> t IS NOT NULL)[1]"
_ROUTE = (
    "coalesce(attributes['http.route'], attributes['url.template'], attributes['url.path'],"
    " attributes['http.target'],"
    " nullif(regexp_replace(coalesce(attributes['url.full'], attributes['http.url']),"
    " '^[a-z]+://[^/]*', ''), ''))"
)
_SERVED = f"coalesce({_ROUTE}, nullif(regexp_extract(name, '(/\\S*)', 1), ''))"
_COMMANDS = ", ".join(f"'{c}'" for c in _S.probe_commands)
_FAILED = "(status_code = 'ERROR' OR coalesce(http_status >= 500, false))"


def _failed_at(end: str) -> str:
    """A failure counts from when we learn of it: a call that timed out began long before, and
    senders' clocks differ. What was held back for longer stays where it happened."""
    when = f"CASE WHEN abs(epoch(received_at - {end})) <= 300 THEN received_at ELSE {end} END"
    return f"time_bucket(INTERVAL 5 SECONDS, {when})"


SPANS = f"""
SELECT bucket_at, start_at, component, name, attributes, status_code, http_status, http_method,
    asgi_event, is_outgoing, db_system, error_type, {_ROUTE} AS route,
    CASE WHEN NOT is_outgoing THEN {_SERVED} END AS served_route, received_at,
    start_at + to_microseconds(duration_ns // 1000) AS end_at,
    coalesce({_EXCEPTION}, error_type) AS exception_type,
    coalesce(attributes['server.address'], attributes['net.peer.name'], '')
        || coalesce(':' || coalesce(attributes['server.port'], attributes['net.peer.port']), '')
        AS address
FROM spans_now
"""
FAILURES = {
    "spans": f"""
    SELECT {_failed_at("end_at")}, component, coalesce(route, ''), name, coalesce(exception_type, ''),
        CASE WHEN {_S.is_content("served_route", "name")}
            THEN 'content_delivery' ELSE '' END,
        count(*)
    FROM evidence_now
    WHERE {_FAILED} AND asgi_event IS NULL AND NOT {_S.is_ignored("coalesce(route, '')")}
        AND NOT {_S.is_probe("coalesce(route, '')")}
    GROUP BY 1, 2, 3, 4, 5, 6
    """,
    "logs": f"""
    SELECT {
        _failed_at("event_at")
    }, component, coalesce(attributes['http.route'], attributes['endpoint'], ''), '',
        coalesce(attributes['exception.type'], ''), 'content_delivery', count(*)
    FROM fresh
    WHERE severity_number >= 17 AND ({
        _S.is_content(
            "coalesce(attributes['http.route'], attributes['endpoint'], '')", "event_name"
        )
    } OR coalesce(attributes['category'] = 'therapeutic', false))
    GROUP BY 1, 2, 3, 5
    """,
}
"""Rows of `hot_failures`: failed spans of `evidence_now`, failed records of `fresh`."""
STATEMENTS = {
    "spans": [
        f"CREATE OR REPLACE TEMP TABLE evidence_now AS {SPANS}",
        f"""
        INSERT INTO hot_dependency_calls
        WITH calls AS (
            SELECT *, coalesce({_S.dependency_of("db_system")}, lower(db_system)) AS dependency,
                status_code = 'ERROR' AND (exception_type IS NULL
                    OR {_S.is_unreachable("exception_type")}) AS is_bad,
                upper(split_part(name, ' ', 1)) IN ({_COMMANDS}) AS is_probe
            FROM evidence_now WHERE db_system IS NOT NULL
        )
        SELECT bucket_at, dependency, address, component, 'client_spans',
            count(*) FILTER (WHERE status_code <> 'ERROR'), count(*) FILTER (WHERE is_bad),
            max(start_at) FILTER (WHERE status_code <> 'ERROR'), max(start_at) FILTER (WHERE is_bad),
            count(*) FILTER (WHERE is_bad AND is_probe)
        FROM calls GROUP BY 1, 2, 3, 4
        """,
        f"""
        INSERT INTO hot_dependency_calls
        WITH named AS (
            SELECT *, {_S.dependency_of_exception("exception_type")} AS dependency
            FROM evidence_now
            WHERE db_system IS NULL AND exception_type IS NOT NULL
                AND {_S.is_unreachable("exception_type")}
        )
        SELECT bucket_at, dependency, '', component, 'exceptions', 0, count(*), NULL, max(start_at), 0
        FROM named WHERE dependency IS NOT NULL GROUP BY 1, 2, 4
        """,
        f"""
        INSERT INTO hot_probes
        SELECT bucket_at, component, {_S.dependency_of("regexp_extract(route, '/health/([^/]+)', 1)")},
            component, 'route', start_at, NOT {_FAILED}
        FROM evidence_now
        WHERE http_method IS NOT NULL AND asgi_event IS NULL AND NOT is_outgoing
            AND {_S.is_probe("route")} AND NOT {_S.is_ignored("route")}
        """,
        f"INSERT INTO hot_failures {FAILURES['spans']}",
    ],
    "logs": [
        f"""
        INSERT INTO hot_dependency_calls
        WITH named AS (
            SELECT *, attributes['exception.type'] AS exception_type FROM fresh
            WHERE attributes['exception.type'] IS NOT NULL
        )
        SELECT bucket_at, {_S.dependency_of_exception("exception_type")}, '', component, 'exceptions',
            0, count(*), NULL, max(event_at), 0
        FROM named WHERE {_S.is_unreachable("exception_type")}
            AND {_S.dependency_of_exception("exception_type")} IS NOT NULL
        GROUP BY 1, 2, 4
        """,
        f"INSERT INTO hot_failures {FAILURES['logs']}",
    ],
    "metric_points": [
        f"""
        INSERT INTO hot_probes
        SELECT bucket_at, attributes['service'], {_S.dependency_of("attributes['service']")},
            component, metric, event_at, value >= 1
        FROM fresh WHERE metric = 'tta_service_up' AND attributes['service'] IS NOT NULL
            AND value IS NOT NULL AND flags & 1 = 0
        """,
    ],
}
