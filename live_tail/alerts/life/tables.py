"""The alerts' tables in `state.db`: one connection of one process (or thread), records sealed.

Here: the schema and the connection that everything about alerts shares, so that one transaction can hold
it all. Not here: what lies in the tables (`store`, `outbox`, `untold`).
"""

from datetime import datetime
from pathlib import Path

from privacy.keys.state import Sealer, connect
from privacy.keys.store import KeyStore

_SCHEMA = """
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


class Tables:
    """One connection to the alerts' tables, and what seals their records."""

    def __init__(self, home: Path, keys: KeyStore) -> None:
        self.db = connect(home, _SCHEMA)
        self.sealer = Sealer(keys, "alerts")

    def version(self) -> int:
        """A number that is another one once another connection has written; asking costs nothing."""
        return self.db.execute("PRAGMA data_version").fetchone()[0]

    def close(self) -> None:
        """Close the connection."""
        self.db.close()


def microseconds(moment: datetime) -> int:
    """A moment as the tables keep it: microseconds since 1970."""
    return int(moment.timestamp() * 1e6)
