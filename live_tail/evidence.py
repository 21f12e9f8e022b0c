"""Evidence of what is down and what failed, in 5-second buckets of the hot window.

Here: tables of probes, of operations per dependency, of counters of either, and of failures, filled
from what the window finds new. Not here: what names mean (`signals.yaml`), requests and latency
(`window`), verdicts (`live_tail/alerts`).
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
CREATE TABLE hot_checks (bucket_at TIMESTAMP, dependency VARCHAR, target VARCHAR, component VARCHAR,
    series UBIGINT, event_at TIMESTAMP, start_at TIMESTAMP, n BIGINT, is_bad BOOLEAN,
    is_delta BOOLEAN, least BIGINT);
{FAILURES_TABLE}"""
TABLES = ("hot_probes", "hot_dependency_calls", "hot_checks", "hot_failures")
_S = load_signals()


def _first(attribute: str) -> str:
    """SQL: the first value of an attribute among a span's events."""
    values = f"list_transform(events, e -> e.attributes['{attribute}'])"
    return f"list_filter({values}, v -> v IS NOT NULL)[1]"


_EXCEPTION, _MESSAGE = _first("exception.type"), _first("exception.message")
_ROUTE = (
    "coalesce(attributes['http.route'], attributes['url.template'], attributes['url.path'],"
    " attributes['http.target'],"
    " nullif(regexp_replace(coalesce(attributes['url.full'], attributes['http.url']),"
    " '^[a-z]+://[^/]*', ''), ''))"
)
_SERVED = f"coalesce({_ROUTE}, nullif(regexp_extract(name, '(/\\S*)', 1), ''))"
_COMMANDS = ", ".join(f"'{c}'" for c in _S.probe_commands)
_DATABASE = "coalesce(attributes['db.system.name'], attributes['db.system'])"
_EXPORTED = "regexp_extract(metric, '^([a-z0-9]+)_up$', 1)"
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
    concat_ws(' ', status_message, {_MESSAGE}) AS message,
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
            SELECT *, CASE WHEN {_S.is_unreachable("exception_type")}
                THEN coalesce({_S.dependency_of_exception("exception_type")},
                    {_S.dependency_unreachable("message")})
                ELSE {_S.dependency_unreachable("message")} END AS dependency
            FROM evidence_now
            WHERE db_system IS NULL AND (exception_type IS NOT NULL OR {_FAILED})
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
            SELECT *, coalesce(
                CASE WHEN {_S.is_unreachable("attributes['exception.type']")}
                    THEN {_S.dependency_of_exception("attributes['exception.type']")} END,
                CASE WHEN severity_number >= 17 THEN {_S.dependency_unreachable("body")} END)
                AS dependency
            FROM fresh
        )
        SELECT bucket_at, dependency, '', component, 'exceptions', 0, count(*), NULL, max(event_at), 0
        FROM named WHERE dependency IS NOT NULL GROUP BY 1, 2, 4
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
        # What exporters say of their dependency: redis_up, mysql_up.
        f"""
        INSERT INTO hot_probes
        SELECT bucket_at, metric, {_S.dependency_of(_EXPORTED)}, component, metric, event_at, value >= 1
        FROM fresh WHERE {_S.dependency_of(_EXPORTED)} IS NOT NULL AND value IS NOT NULL AND flags & 1 = 0
        """,
        f"""
        INSERT INTO hot_checks
        WITH counted AS (
            SELECT *, coalesce(try_cast(value AS BIGINT), point_count) AS n,
                metric = 'tta_health_checks_total' AS is_check,
                CASE WHEN metric = 'tta_health_checks_total' THEN attributes['service']
                    ELSE {_DATABASE} END AS target
            FROM fresh WHERE metric IN ('tta_health_checks_total', 'db.client.operation.duration')
        )
        SELECT bucket_at, {_S.dependency_of("target")}, metric || ' ' || target, component,
            hash(metric, component, component_instance, attributes::VARCHAR), event_at, start_at, n,
            CASE WHEN is_check THEN coalesce(lower(attributes['status']), '') NOT IN ('up', 'healthy', 'ok')
                ELSE {_S.is_unreachable("attributes['error.type']")} END,
            temporality = 'delta', CASE WHEN is_check THEN 1 ELSE 2 END
        FROM counted
        WHERE {_S.dependency_of("target")} IS NOT NULL AND n IS NOT NULL AND flags & 1 = 0
        """,
    ],
}
