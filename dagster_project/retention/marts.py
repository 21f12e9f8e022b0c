"""Rows that leave the warehouse: the file is written anew without them, under the key of the day.

Here: which marts hold rows that expire, the copy, and everything a retention pass does. Not here:
partitions and keys of the lake (`ingestion/expiry/plan`). DELETE leaves the bytes in a DuckDB file (60,000 of
60,000 markers survive it, CHECKPOINT and VACUUM), so what stays is copied to a new file; the old file
is unlinked and its key destroyed, so that it opens in no backup either.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb

from dagster_project.marts.warehouse import publish, warehouse_key
from ingestion.expiry import plan as expiry
from ingestion.lake.duck import attach, connect
from ingestion.settings import Settings
from privacy.disk.files import put_in_place
from privacy.keys.key_store import KeyStore, utc_today
from privacy.retention import receipts
from privacy.retention.receipts import Receipt
from privacy.retention.retention_policy import Policy

EXPIRING = {
    "marts.fct_websocket_connections": ("t.opened_at", "spans"),
    "intermediate.int_websocket_message_counts": ("t.minute_at", "spans"),
    "intermediate.int_websocket_connection_spans": ("t.opened_at", "spans"),
    "marts.fct_metric_points_hourly": ("t.hour_at", "metric_rollups"),
    "marts.fct_exemplars": ("t.event_at", "spans"),
    "marts.fct_trace_spans": ("t.start_at", "spans"),
    "marts.fct_log_lines": ("t.event_at", "logs"),
    "marts.fct_log_patterns_minutely": ("t.minute_at", "logs"),
    "intermediate.int_exemplar_parts": ("t.event_at", "spans"),
    "intermediate.int_log_line_parts": ("t.event_at", "logs"),
    "intermediate.int_log_pattern_parts": ("t.minute_at", "logs"),
    "marts.dim_error_groups": ("t.last_seen_at", "error_skeletons"),
    # Whole weeks go together: a week is counted from its episodes and would shrink.
    "marts.fct_alert_episodes": (
        "date_trunc('week', coalesce(t.fired_at, t.updated_at))",
        "alert_episodes",
    ),
    "marts.fct_alert_resolution_weekly": ("t.week_on", "alert_episodes"),
}
"""Tables whose rows expire, their time and the rule: single connections, calls and traces live as long as
spans, single log lines and patterns as long as logs."""

_OF_EVENTS = re.compile("exemplar|trace_spans|log_line|log_pattern")

_BY_COMPONENT = frozenset(
    {"marts.fct_websocket_connections"} | {table for table in EXPIRING if _OF_EVENTS.search(table)}
)

Leaving = Callable[[str], str | None]
"""SQL over row alias `t` of a table (`schema.name`) that is true for what goes; None when nothing does."""


@dataclass(frozen=True)
class Rewritten:
    """Rows that went by table, and the keys of the files that held them."""

    rows: Mapping[str, int]
    keys_destroyed: tuple[str, ...] = ()


def past_time(policy: Policy, now: datetime) -> Leaving:
    """What the policy lets go."""

    def leaving(table: str) -> str | None:
        at, rule = EXPIRING.get(table, ("", ""))
        before = policy.cutoff(rule, now) if rule else None
        common = f"{at} < TIMESTAMP '{before}'" if before else None
        own = policy.components(rule) if table in _BY_COMPONENT else {}
        return _by_component(at, common, {c: now - a if a else None for c, a in own.items()})

    return leaving


def _by_component(at: str, common: str | None, own: Mapping[str, datetime | None]) -> str | None:
    """The condition of a table whose components have rules of their own (names need no quoting)."""
    if not own:
        return common
    cases = [
        f"WHEN '{name}' THEN " + (f"{at} < TIMESTAMP '{before}'" if before else "false")
        for name, before in own.items()
    ]
    return f"CASE t.component {' '.join(cases)} ELSE {common or 'false'} END"


def leaving_rows(con: duckdb.DuckDBPyConnection, database: str, leaving: Leaving) -> dict[str, int]:
    """Rows that would go, by table; only tables that have some."""
    counts: dict[str, int] = {}
    for table in _tables(con, database):
        condition = leaving(table)
        if condition:
            sql = f"SELECT count(*) FROM {database}.{table} AS t WHERE {condition}"
            counts[table] = con.execute(sql).fetchall()[0][0]
    return {table: count for table, count in counts.items() if count}


def copy_without(
    con: duckdb.DuckDBPyConnection, source: str, target: str, leaving: Leaving
) -> None:
    """Copy an attached database into an empty attached one, without the rows that go."""
    con.execute(f"COPY FROM DATABASE {source} TO {target} (SCHEMA)")
    for table in _tables(con, source):
        condition = leaving(table)
        where = f" WHERE NOT coalesce({condition}, false)" if condition else ""
        con.execute(f"INSERT INTO {target}.{table} SELECT t.* FROM {source}.{table} AS t{where}")


def rewrite_warehouse(
    settings: Settings, keys: KeyStore, leaving: Leaving, *, is_rekeyed: bool = False
) -> Rewritten:
    """Write the warehouse anew when rows go, or its key is older than today and `is_rekeyed` asks.

    Callers hold the writer's lock. A crash leaves the old file whole, under its own key.
    """
    path = settings.warehouse_path
    if not path.exists():
        return Rewritten({})
    old, new = warehouse_key(settings, keys), keys.data_key("warehouse", utc_today())
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    con = connect(memory_limit=settings.warehouse.memory_limit)
    try:
        attach(con, path, "warehouse", old)
        rows = leaving_rows(con, "warehouse", leaving)
        is_due = bool(rows) or (is_rekeyed and old.id != new.id)
        if is_due:
            attach(con, temporary, "fresh", new)
            copy_without(con, "warehouse", "fresh", leaving)
            con.execute("DETACH fresh")
    finally:
        con.close()
    if not is_due:
        return Rewritten({})
    put_in_place(temporary, path)
    past = [f"warehouse/{d}" for d in keys.days("warehouse") if f"warehouse/{d}" != new.id]
    return Rewritten(rows, tuple(key_id for key_id in past if keys.destroy_id(key_id)))


def publish_again(settings: Settings, keys: KeyStore) -> None:
    """Replace every published copy by one of the warehouse as it is."""
    for file in sorted((settings.home / "published").glob("*.duckdb")):
        publish(settings, keys, file.stem)


def expire(settings: Settings, keys: KeyStore, policy: Policy, now: datetime) -> list[Receipt]:
    """Everything that is past its time, in lake, spool and warehouse; the copies follow the marts.

    Callers hold the writer's lock.
    """
    done = expiry.purge(settings, keys, policy, now)
    leaving = past_time(policy, now)
    gone = rewrite_warehouse(settings, keys, leaving, is_rekeyed=True)
    if gone.rows or gone.keys_destroyed:
        publish_again(settings, keys)
        receipt = _receipt(settings, keys, gone, leaving, now)
        receipts.write(settings.home, keys, receipt)
        done.append(receipt)
    return done


def count_leaving(settings: Settings, keys: KeyStore, leaving: Leaving) -> dict[str, int]:
    """Rows of the warehouse that would go, by table; callers hold the writer's lock."""
    if not settings.warehouse_path.exists():
        return {}
    con = connect()
    try:
        attach(con, settings.warehouse_path, "warehouse", warehouse_key(settings, keys))
        return leaving_rows(con, "warehouse", leaving)
    finally:
        con.close()


def _receipt(
    settings: Settings, keys: KeyStore, gone: Rewritten, leaving: Leaving, now: datetime
) -> Receipt:
    alive = set(keys.ids())
    return Receipt(
        id=f"{now.isoformat()}/warehouse",
        purged_at=now,
        rule="warehouse",
        purged_before=now,
        partitions=len(gone.rows),
        rows=sum(gone.rows.values()),
        bytes=None,
        keys_destroyed=gone.keys_destroyed,
        proof_rows=sum(count_leaving(settings, keys, leaving).values()),
        proof_files=sum(key_id in alive for key_id in gone.keys_destroyed),
    )


def _tables(con: duckdb.DuckDBPyConnection, database: str) -> list[str]:
    rows = con.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ? ORDER BY 1, 2",
        [database],
    ).fetchall()
    return [f"{schema}.{table}" for schema, table in rows]
