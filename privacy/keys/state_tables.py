"""The tables of `state.db`: one list for the whole file, because one number counts its migrations.

Here: what each owner keeps there, named beside its tables. Not here: what is in a record (its owner),
opening and sealing (`state`). Whoever opens the file first makes all of it.
"""

from privacy.disk.sqlite_databases import Schema, Step

_AUDIT = """
CREATE TABLE IF NOT EXISTS audit_entries (
    seq INTEGER PRIMARY KEY, at TEXT NOT NULL, sealed BLOB NOT NULL, mac BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS audit_marks (
    name TEXT PRIMARY KEY, seq INTEGER NOT NULL, mac BLOB NOT NULL, tag BLOB NOT NULL
);
"""
"""`privacy/audit/audit_log`"""

_ACCESS = """
CREATE TABLE IF NOT EXISTS access_users (id TEXT PRIMARY KEY, name_key BLOB UNIQUE, sealed BLOB);
CREATE TABLE IF NOT EXISTS access_attempts (name_key BLOB PRIMARY KEY, failed INTEGER, until TEXT);
CREATE TABLE IF NOT EXISTS access_grants (id TEXT PRIMARY KEY, owner TEXT, sealed BLOB);
CREATE TABLE IF NOT EXISTS access_secrets (
    digest BLOB PRIMARY KEY, id TEXT UNIQUE, kind TEXT, owner TEXT, expires_at TEXT, sealed BLOB
);
"""
"""`privacy/access/accounts`, `privacy/access/bearer`"""

_RELEASE = """
CREATE TABLE IF NOT EXISTS release_ledger (
    seq INTEGER PRIMARY KEY,
    mart TEXT NOT NULL,
    period TEXT NOT NULL,
    micro_epsilon INTEGER,
    contribution_bound INTEGER NOT NULL,
    keep TEXT NOT NULL,
    mechanism TEXT NOT NULL,
    spec_digest TEXT NOT NULL,
    result_digest TEXT NOT NULL,
    released_at TEXT NOT NULL,
    entry_digest TEXT NOT NULL,
    sealed_result BLOB NOT NULL,
    UNIQUE (mart, period)
);
CREATE TRIGGER IF NOT EXISTS release_ledger_is_not_updated BEFORE UPDATE ON release_ledger
    BEGIN SELECT RAISE(ABORT, 'the release ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS release_ledger_is_not_deleted BEFORE DELETE ON release_ledger
    BEGIN SELECT RAISE(ABORT, 'the release ledger is append-only'); END;
"""
"""`privacy/release/release_ledger`"""

_RETENTION = """
CREATE TABLE IF NOT EXISTS retention_receipts (
    id TEXT PRIMARY KEY, purged_at TEXT NOT NULL, record BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS retention_passes (
    name TEXT PRIMARY KEY, done_at TEXT NOT NULL);
"""
"""`privacy/retention/receipts`"""

_COLLECTING = """
CREATE TABLE IF NOT EXISTS log_positions (id TEXT PRIMARY KEY, record BLOB NOT NULL);
"""
"""`ingestion/collectors/log_files/file_tail`"""

_ERRORS = """
CREATE TABLE IF NOT EXISTS error_groups (
    key TEXT PRIMARY KEY, first_us INTEGER NOT NULL, last_us INTEGER NOT NULL,
    status TEXT NOT NULL, record BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS error_groups_last ON error_groups (last_us);
CREATE TABLE IF NOT EXISTS error_hours (
    hour_us INTEGER NOT NULL, key TEXT NOT NULL, occurrences INTEGER NOT NULL,
    PRIMARY KEY (hour_us, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS error_builds (mark TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS error_cursors (signal TEXT PRIMARY KEY, seq INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS error_transitions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, at_us INTEGER NOT NULL,
    state TEXT NOT NULL, record BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS error_rules (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at_us INTEGER NOT NULL, kind TEXT NOT NULL,
    key TEXT NOT NULL, value TEXT NOT NULL, record BLOB NOT NULL, UNIQUE (kind, key));
"""
"""`ingestion/meaning/errors/group_store`"""

_ALERTS = """
CREATE TABLE IF NOT EXISTS alerts (id TEXT PRIMARY KEY, state TEXT NOT NULL,
    updated_us INTEGER NOT NULL, record BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alert_events (seq INTEGER PRIMARY KEY AUTOINCREMENT,
    alert TEXT NOT NULL, at_us INTEGER NOT NULL, kind TEXT NOT NULL, record BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS alert_events_alert ON alert_events (alert);
CREATE TABLE IF NOT EXISTS alert_events_sent (id INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS alert_groups (key TEXT PRIMARY KEY, record BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS alert_silences (id TEXT PRIMARY KEY, ends_us INTEGER NOT NULL,
    record BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS alert_outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE, subject TEXT NOT NULL, channel TEXT NOT NULL,
    created_us INTEGER NOT NULL, due_us INTEGER NOT NULL, again_us INTEGER NOT NULL,
    state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '',
    done_us INTEGER, record BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS alert_outbox_due ON alert_outbox (state, channel, due_us);
CREATE TABLE IF NOT EXISTS alert_channels (name TEXT PRIMARY KEY, failures INTEGER NOT NULL,
    failing_us INTEGER, error TEXT NOT NULL, ok_us INTEGER);
"""
"""`live_tail/alerts/life/alert_store`, `live_tail/alerts/life/outbox`, `live_tail/alerts/life/untold`"""

_FACTS = """
CREATE TABLE IF NOT EXISTS alert_fast_lane (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS alert_hours (hour TEXT PRIMARY KEY, sealed BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS alert_minutes (hour TEXT PRIMARY KEY, sealed BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS alert_minutes_through (signal TEXT PRIMARY KEY, seq INTEGER NOT NULL);
"""
"""`live_tail/alerts/rules/fast_lane`, `live_tail/alerts/reading/seasons`, `live_tail/window/minutes`"""

_SCANS = """
CREATE TABLE IF NOT EXISTS leak_scan_runs (
    id TEXT PRIMARY KEY, record BLOB NOT NULL, started_at TEXT NOT NULL);
"""
"""`dagster_project/leaks/runs`"""

_SAVED = """
CREATE TABLE IF NOT EXISTS saved_views (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, is_shared INTEGER NOT NULL, at TEXT NOT NULL,
    sealed BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS annotations (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, at TEXT NOT NULL, sealed BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS annotations_at ON annotations (at);
"""
"""`streamlit_app/saved`"""

STATE = Schema(
    steps=(
        Step(
            _AUDIT
            + _ACCESS
            + _RELEASE
            + _RETENTION
            + _COLLECTING
            + _ERRORS
            + _ALERTS
            + _FACTS
            + _SCANS
        ),
        Step(_SAVED),
    ),
    pragmas=("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"),
)
