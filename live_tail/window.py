"""The hot window: the last hour in memory, aggregated as it arrives.

Here: DuckDB tables of 5-second aggregates, and one `ingest` that is aware of late, future and
repeated data. Not here: following the spool (`follow`), named queries (`queries`). The rules (what is
a request, an AI call, a database operation) are those of `dbt/models/intermediate/performance`;
`tests/live_tail` holds both to the same numbers.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa

from live_tail import errors, evidence, points
from live_tail.minutes import Minutes

BUCKET_S = 5
_FUTURE = timedelta(minutes=5)
SEEN_TABLE = """
CREATE TABLE seen (bucket_at TIMESTAMP, signal VARCHAR, key UBIGINT);
"""
_SCHEMA = f"""
CREATE TABLE hot_requests (
    bucket_at TIMESTAMP, component VARCHAR, route VARCHAR, method VARCHAR, status_class VARCHAR,
    log_bucket INTEGER, request_count BIGINT, error_count BIGINT, ms_max DOUBLE);
CREATE TABLE hot_ai_calls (
    bucket_at TIMESTAMP, component VARCHAR, model VARCHAR, provider VARCHAR, log_bucket INTEGER,
    call_count BIGINT, error_count BIGINT, input_tokens BIGINT, output_tokens BIGINT);
CREATE TABLE hot_db_operations (
    bucket_at TIMESTAMP, component VARCHAR, system VARCHAR, operation VARCHAR, log_bucket INTEGER,
    operation_count BIGINT, error_count BIGINT);
CREATE TABLE hot_websockets (
    bucket_at TIMESTAMP, component VARCHAR, route VARCHAR, closed_connections BIGINT,
    messages_received BIGINT, messages_sent BIGINT);
CREATE TABLE hot_host (
    bucket_at TIMESTAMP, host VARCHAR, cpu_utilization_pct DOUBLE, memory_utilization_pct DOUBLE,
    load_1m DOUBLE);
CREATE TABLE hot_sightings (
    bucket_at TIMESTAMP, component VARCHAR, version VARCHAR, environment VARCHAR,
    instance VARCHAR, signal VARCHAR, items BIGINT, first_at TIMESTAMP, last_at TIMESTAMP);
CREATE TABLE hot_service_up (bucket_at TIMESTAMP, service VARCHAR, event_at TIMESTAMP, value DOUBLE);
CREATE TABLE hot_errors (
    bucket_at TIMESTAMP, event_at TIMESTAMP, component VARCHAR, name VARCHAR,
    status_message VARCHAR, exception_type VARCHAR);
CREATE TABLE hot_ledger (
    bucket_at TIMESTAMP, component VARCHAR, signal VARCHAR, outcome VARCHAR, items BIGINT);
{SEEN_TABLE}"""
_MERGES = {
    "hot_requests": "sum(request_count), sum(error_count), max(ms_max)",
    "hot_ai_calls": "sum(call_count), sum(error_count), sum(input_tokens), sum(output_tokens)",
    "hot_db_operations": "sum(operation_count), sum(error_count)",
}
_OWN_TABLES = (
    "hot_requests hot_ai_calls hot_db_operations hot_websockets hot_host hot_sightings"
    " hot_service_up hot_errors hot_ledger seen"
)
_TABLES = [*_OWN_TABLES.split(), *evidence.TABLES, *points.TABLES, *errors.TABLES]
_EVENT_TIME = {"spans": "start_at", "logs": "event_at", "metric_points": "event_at"}
_KEY = {
    "spans": "component, trace_id, span_id, start_at, duration_ns, name, kind",
    "logs": "component, event_at, observed_at, severity_number, body, trace_id, span_id,"
    " attributes::varchar",
    "metric_points": "component, resource_attributes, metric, attributes::varchar, event_at,"
    " start_at, value, point_count, point_sum",
}


def first_of(*names: str) -> str:
    """SQL for the first attribute that is present."""
    return "coalesce(" + ", ".join([*(f"attributes['{n}']" for n in names), "NULL"]) + ")"


def whole(*names: str) -> str:
    """SQL for the first attribute that is present, as an integer."""
    return f"try_cast(try_cast({first_of(*names)} AS DOUBLE) AS BIGINT)"


_LOG_BUCKET = (
    "CASE WHEN duration_ns > 0 THEN greatest(ceil(ln(duration_ns / 1e6) / ln(1.01 / 0.99)), -999)"
    "::INTEGER ELSE -1000 END"
)
SPANS = f"""
SELECT *, {_LOG_BUCKET} AS log_bucket, duration_ns / 1e6 AS ms,
    {first_of("http.request.method", "http.method")} AS http_method,
    {whole("http.response.status_code", "http.status_code")} AS http_status,
    coalesce({first_of("url.scheme", "http.scheme")}, 'http') AS scheme,
    {first_of("asgi.event.type")} AS asgi_event,
    {first_of("error.type")} AS error_type,
    {first_of("db.system.name", "db.system")} AS db_system,
    {first_of("gen_ai.request.model", "gen_ai.response.model", "llm.model_name")} AS ai_model,
    {first_of("gen_ai.operation.name")} AS ai_operation,
    kind IN ('CLIENT', 'PRODUCER') AS is_outgoing
FROM fresh
"""
_INSERTS = {
    "spans": [
        f"CREATE OR REPLACE TEMP TABLE spans_now AS {SPANS}",
        f"""
        INSERT INTO hot_requests
        SELECT bucket_at, component,
            coalesce({first_of("http.route", "url.template", "url.path", "http.target")},
                nullif(regexp_replace({first_of("url.full", "http.url")}, '^[a-z]+://[^/]*', ''), ''),
                name),
            upper(http_method),
            CASE WHEN http_status BETWEEN 100 AND 599 THEN (http_status // 100) || 'xx' ELSE 'none' END,
            log_bucket, count(*),
            count(*) FILTER (WHERE coalesce(http_status >= 500, false) OR status_code = 'ERROR'),
            max(ms)
        FROM spans_now
        WHERE http_method IS NOT NULL AND asgi_event IS NULL AND NOT is_outgoing
            AND scheme NOT IN ('ws', 'wss')
        GROUP BY 1, 2, 3, 4, 5, 6
        """,
        f"""
        INSERT INTO hot_ai_calls
        SELECT bucket_at, component, coalesce(ai_model, 'unknown'),
            coalesce({
            first_of("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system")
        },
                'unknown'),
            log_bucket, count(*),
            count(*) FILTER (WHERE status_code = 'ERROR' OR error_type IS NOT NULL),
            sum({
            whole(
                "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"
            )
        }),
            sum({
            whole(
                "gen_ai.usage.output_tokens",
                "gen_ai.usage.completion_tokens",
                "llm.token_count.completion",
            )
        })
        FROM spans_now WHERE ai_operation IS NOT NULL OR ai_model IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5
        """,
        f"""
        INSERT INTO hot_db_operations
        SELECT bucket_at, component, db_system,
            upper(coalesce({first_of("db.operation.name", "db.operation")},
                nullif(regexp_extract({first_of("db.query.text", "db.statement")},
                    '^\\s*([A-Za-z_.]+)', 1), ''),
                split_part(name, ' ', 1))),
            log_bucket, count(*),
            count(*) FILTER (WHERE status_code = 'ERROR' OR error_type IS NOT NULL)
        FROM spans_now WHERE db_system IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5
        """,
        f"""
        INSERT INTO hot_websockets
        SELECT bucket_at, component,
            coalesce({first_of("http.route", "url.path", "http.target")},
                nullif(regexp_extract(name, '(/\\S*)', 1), ''), name),
            count(*) FILTER (WHERE asgi_event IS NULL),
            count(*) FILTER (WHERE asgi_event = 'websocket.receive')
                + coalesce(sum({whole("tta.websocket.messages.received")}), 0),
            count(*) FILTER (WHERE asgi_event = 'websocket.send')
                + coalesce(sum({whole("tta.websocket.messages.sent")}), 0)
        FROM spans_now
        WHERE asgi_event IN ('websocket.receive', 'websocket.send')
            OR name = 'tta.websocket.connection'
            OR (asgi_event IS NULL AND scheme IN ('ws', 'wss') AND NOT is_outgoing)
        GROUP BY 1, 2, 3
        """,
        """
        INSERT INTO hot_errors
        SELECT bucket_at, start_at, component, name, status_message,
            list_filter(list_transform(events, e -> e.attributes['exception.type']), t -> t IS NOT NULL)[1]
        FROM spans_now WHERE status_code = 'ERROR'
        """,
    ],
    "logs": [],
    "metric_points": [
        f"""
        INSERT INTO hot_host
        WITH points AS (
            SELECT *, coalesce(host, component) AS host_name,
                {first_of("system.cpu.state", "cpu.mode", "system.memory.state", "state")} AS state
            FROM fresh
            WHERE metric IN ('system.cpu.utilization', 'system.memory.utilization',
                'system.linux.cpu.load_1m', 'system.cpu.load_average.1m')
        )
        SELECT bucket_at, host_name,
            100 * (1 - avg(value) FILTER (WHERE metric = 'system.cpu.utilization' AND state = 'idle')),
            100 * avg(value) FILTER (WHERE metric = 'system.memory.utilization' AND state = 'used'),
            avg(value) FILTER (WHERE metric LIKE '%load%')
        FROM points GROUP BY 1, 2
        """,
        f"""
        INSERT INTO hot_service_up
        SELECT bucket_at, {first_of("service")}, event_at, value
        FROM fresh WHERE metric = 'tta_service_up' AND {first_of("service")} IS NOT NULL
        """,
    ],
}


class Window:
    """All hot tables; `ingest` comes from one thread, readers take a `cursor` each."""

    def __init__(
        self,
        *,
        minutes: int,
        max_errors: int,
        clock: Callable[[], datetime],
        history: Minutes | None = None,
        hot_errors: errors.HotErrors | None = None,
    ) -> None:
        self._con = duckdb.connect(
            config={"memory_limit": "2GB", "threads": "2", "autoinstall_known_extensions": "false"}
        )
        self._con.execute("SET TimeZone = 'UTC'")
        self._con.execute(_SCHEMA + evidence.SCHEMA + points.SCHEMA + errors.SCHEMA)
        self.points = points.Points()
        self.history = history or Minutes(None)
        self.history.restore(self._con)
        self.errors = hot_errors or errors.HotErrors()
        self._writing = threading.Lock()
        self._minutes, self._max_errors, self._clock = minutes, max_errors, clock
        self.counts: Counter[str] = Counter()
        self.newest_event_at: datetime | None = None

    @property
    def minutes(self) -> int:
        """How far back the window reaches."""
        return self._minutes

    def now(self) -> datetime:
        """The window's clock, UTC without zone."""
        return self._clock().astimezone(UTC).replace(tzinfo=None)

    def starts_at(self) -> datetime:
        """The oldest event time that is kept."""
        return self.now() - timedelta(minutes=self._minutes)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection for one reader thread."""
        return self._con.cursor()

    def ingest(self, signal: str, batches: Sequence[tuple[int, pa.Table]]) -> int:
        """Take in batches (seq, table) of one signal; returns rows that were new and in time."""
        rows = pa.concat_tables(
            [
                t.append_column("batch_seq", pa.array([seq] * t.num_rows, pa.int64()))
                for seq, t in batches
            ]
        )
        if rows.num_rows == 0:
            return 0
        with self._writing:
            self._con.register("incoming", rows)
            try:
                if signal == "ledger":
                    self._con.execute(_LEDGER)
                    return rows.num_rows
                return self._ingest_items(signal, rows.num_rows, max(seq for seq, _ in batches))
            finally:
                self._con.unregister("incoming")

    def _ingest_items(self, signal: str, total: int, max_seq: int) -> int:
        time_column = _EVENT_TIME[signal]
        start, newest = self.starts_at(), self.now() + _FUTURE
        self._con.execute("BEGIN")
        try:
            self._take_new("fresh", signal, start, newest)
            self._con.execute("INSERT INTO seen SELECT bucket_at, ?, key FROM fresh", [signal])
            self._con.execute(_SIGHTINGS.format(time=time_column), [signal])
            for statement in [*_INSERTS[signal], *evidence.STATEMENTS[signal]]:
                self._con.execute(statement)
            if signal == "metric_points":
                self.points.ingest(self._con)
            self.errors.take(self._con, signal)
            fresh, latest = self._con.execute(
                f"SELECT count(*), max({time_column}) FROM fresh"
            ).fetchall()[0]
            outside = self._con.execute(
                f"SELECT count(*) FILTER (WHERE {time_column} < ?),"
                f" count(*) FILTER (WHERE {time_column} > ?) FROM incoming",
                [start, newest],
            ).fetchall()[0]
            counted = self.history.count(self._con, signal)
            if outside[0]:
                counted += self._count_late(signal, start)
            self._con.execute("COMMIT")
        except BaseException:
            self._con.execute("ROLLBACK")
            raise
        self.history.add(signal, counted, max_seq)
        self.counts["rows"] += fresh
        self.counts["late"] += outside[0]
        self.counts["future"] += outside[1]
        self.counts["duplicate"] += total - fresh - sum(outside)
        if latest and (self.newest_event_at is None or latest > self.newest_event_at):
            self.newest_event_at = latest
        return fresh

    def _take_new(self, table: str, signal: str, low: datetime, high: datetime) -> None:
        """Rows of `incoming` with an event time in [low, high] that were not seen before."""
        time_column = _EVENT_TIME[signal]
        (oldest,) = self._con.execute(
            f"SELECT min({time_column}) FROM incoming WHERE {time_column} BETWEEN ? AND ?",
            [low, high],
        ).fetchall()[0]
        # A repetition has its time of before: what is marked with an older one need not be compared.
        since = (oldest or low) - timedelta(seconds=BUCKET_S)
        sql = f"CREATE OR REPLACE TEMP TABLE {table} AS {unseen(signal)}"
        self._con.execute(sql, [low, high, signal, since])

    def _count_late(
        self, signal: str, start: datetime
    ) -> list[tuple[datetime, str, str, int, int]]:
        """What left the window still belongs to the minutes that are kept for a month."""
        just_before = start - timedelta(microseconds=1)
        self._take_new("fresh", signal, start - self.history.keep, just_before)
        # Remembered as of now, so that a repetition is recognised for as long as any other.
        self._con.execute("INSERT INTO seen SELECT ?, ?, key FROM fresh", [self.now(), signal])
        return self.history.count(self._con, signal)

    def reset(self) -> None:
        """Empty the window, to be filled again from the spool; minute counts stay counted."""
        with self._writing:
            for table in _TABLES:
                self._con.execute(f"DELETE FROM {table}")

    def tidy(self) -> None:
        """Evict what left the window and merge partial aggregates: memory stays bounded."""
        start = self.starts_at()
        self.errors.test_escalation(self.now())
        with self._writing:
            for table in _TABLES:
                self._con.execute(f"DELETE FROM {table} WHERE bucket_at < ?", [start])
            for table, sums in _MERGES.items():
                self._con.execute("BEGIN")
                self._con.execute(f"CREATE OR REPLACE TEMP TABLE merged AS FROM {table}")
                self._con.execute(f"DELETE FROM {table}")
                self._con.execute(f"INSERT INTO {table} {_merged(table, sums)}")
                self._con.execute("COMMIT")
            self._con.execute(
                "DELETE FROM hot_errors WHERE rowid NOT IN"
                " (SELECT rowid FROM hot_errors ORDER BY event_at DESC LIMIT ?)",
                [self._max_errors],
            )
            self.points.tidy(self._con, self.now())
            self.history.tidy(self._con, self.now())


def unseen(signal: str, relation: str = "incoming") -> str:
    """SQL with four parameters (from, to, signal, marked since): rows whose key is not in table
    `seen`, with `bucket_at` and `key`."""
    time_column = _EVENT_TIME[signal]
    return f"""
        WITH numbered AS (
            SELECT *, time_bucket(INTERVAL {BUCKET_S} SECONDS, {time_column}) AS bucket_at,
                row_number() OVER (PARTITION BY {_KEY[signal]}, batch_seq) AS nth
            FROM {relation} WHERE {time_column} BETWEEN ? AND ?
        ),
        keyed AS (SELECT *, hash({_KEY[signal]}, nth) AS key FROM numbered)
        SELECT * FROM keyed
        WHERE key NOT IN (SELECT key FROM seen WHERE signal = ? AND bucket_at >= ?)
        QUALIFY row_number() OVER (PARTITION BY key ORDER BY batch_seq) = 1
    """


_GROUPS = {
    "hot_requests": "bucket_at, component, route, method, status_class, log_bucket",
    "hot_ai_calls": "bucket_at, component, model, provider, log_bucket",
    "hot_db_operations": "bucket_at, component, system, operation, log_bucket",
}


def _merged(table: str, sums: str) -> str:
    return f"SELECT {_GROUPS[table]}, {sums} FROM merged GROUP BY {_GROUPS[table]}"


_LEDGER = """
INSERT INTO hot_ledger
SELECT time_bucket(INTERVAL 5 SECONDS, received_at), component, signal, outcome, items FROM incoming
"""
_SIGHTINGS = """
INSERT INTO hot_sightings
SELECT bucket_at, component, max(component_version), max(environment), component_instance, ?,
    count(*), min({time}), max({time})
FROM fresh GROUP BY bucket_at, component, component_instance
"""
