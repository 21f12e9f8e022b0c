"""The outbox: what is to be told on which channel, how its delivery went, and how each channel fares.

Here: the messages and their outcomes. Not here: what puts them there together with what it is about
(`store`), sending (`live_tail/alerts/notify/notifier`), which reads them from another process.
"""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from live_tail.alerts.life.alert_tables import Tables, microseconds
from privacy.disk.sqlite_databases import transaction

WAITING, UNCONFIRMED, DELIVERED, SUPERSEDED = "waiting", "unconfirmed", "delivered", "superseded"


@dataclass(frozen=True)
class Entry:
    """One message in the outbox; `payload` is what the channel sends."""

    key: str
    subject: str
    channel: str
    created_us: int
    again_us: int
    attempts: int
    state: str
    payload: dict[str, Any]


@dataclass(frozen=True)
class Outgoing:
    """One message that is to be told; a key is taken once for ever."""

    key: str
    subject: str
    channel: str
    again_after: timedelta
    payload: dict[str, Any]


class Outbox:
    """The messages of a home."""

    def __init__(self, tables: Tables) -> None:
        self._db, self._sealer = tables.db, tables.sealer

    def put(self, outgoing: Iterable[Outgoing], now: datetime) -> None:
        """Add messages, inside the caller's transaction."""
        us = microseconds(now)
        self._db.executemany(
            "INSERT OR IGNORE INTO alert_outbox"
            " (key, subject, channel, created_us, due_us, again_us, state, record)"
            " VALUES (?,?,?,?,?,?,'waiting',?)",
            [
                (o.key, o.subject, o.channel, us, us, int(o.again_after.total_seconds() * 1e6),
                 self._sealer.seal(o.key, o.payload))
                for o in outgoing
            ],
        )  # fmt: skip

    def due(self, channel: str, now_us: int) -> Entry | None:
        """The oldest message that the channel may send now."""
        row = self._db.execute(
            "SELECT key, subject, channel, created_us, again_us, attempts, state, record"
            " FROM alert_outbox WHERE state IN ('waiting', 'unconfirmed') AND channel = ?"
            " AND due_us <= ? ORDER BY seq LIMIT 1",
            (channel, now_us),
        ).fetchone()
        if row is None:
            return None
        key, subject, to, created_us, again_us, attempts, state, record = row
        payload = self._sealer.open(key, record)
        return Entry(key, subject, to, created_us, again_us, attempts, state, payload)

    def waiting_channels(self) -> set[str]:
        """Channels that have something to send."""
        rows = self._db.execute(
            "SELECT DISTINCT channel FROM alert_outbox WHERE state IN ('waiting', 'unconfirmed')"
        )
        return {channel for (channel,) in rows.fetchall()}

    def next_due_us(self, channel: str) -> int | None:
        """When the channel may send next, as far as is known now; None when nothing waits."""
        return self._db.execute(
            "SELECT min(due_us) FROM alert_outbox"
            " WHERE channel = ? AND state IN ('waiting', 'unconfirmed')",
            (channel,),
        ).fetchone()[0]

    def is_replaced(self, entry: Entry) -> bool:
        """Whether something newer on the same subject was delivered to the same channel."""
        row = self._db.execute(
            "SELECT 1 FROM alert_outbox WHERE channel = ? AND subject = ? AND state = 'delivered'"
            " AND seq > (SELECT seq FROM alert_outbox WHERE key = ?) LIMIT 1",
            (entry.channel, entry.subject, entry.key),
        ).fetchone()
        return row is not None

    def mark(self, key: str, state: str, *, due_us: int = 0, error: str = "") -> None:
        """The outcome of an attempt, and how the channel fares; `error` is a constant or type."""
        now_us = time.time_ns() // 1_000
        is_done = state in {DELIVERED, SUPERSEDED}
        with transaction(self._db):
            self._db.execute(
                "UPDATE alert_outbox SET state = ?, attempts = attempts + 1, error = ?, due_us = ?,"
                " done_us = ? WHERE key = ?",
                (state, error, due_us, now_us if is_done else None, key),
            )
            row = self._db.execute("SELECT channel FROM alert_outbox WHERE key = ?", (key,))
            name = row.fetchone()
            if name and state == DELIVERED:
                self._db.execute(
                    "INSERT OR REPLACE INTO alert_channels (name, failures, failing_us, error, ok_us)"
                    " VALUES (?, 0, NULL, '', ?)",
                    (name[0], now_us),
                )
            elif name and error:
                self._db.execute(
                    "INSERT INTO alert_channels (name, failures, failing_us, error, ok_us)"
                    " VALUES (?, 1, ?, ?, NULL) ON CONFLICT (name) DO"
                    " UPDATE SET failures = failures + 1, error = excluded.error,"
                    " failing_us = coalesce(failing_us, excluded.failing_us)",
                    (name[0], now_us, error),
                )

    def defer(self, key: str) -> None:
        """A message whose outcome nobody knows: not again before its repeat interval."""
        now_us = time.time_ns() // 1_000
        with transaction(self._db):
            self._db.execute(
                "UPDATE alert_outbox SET state = 'unconfirmed', due_us = again_us + ?,"
                " attempts = attempts + 1, error = 'interrupted' WHERE key = ?"
                " AND state IN ('waiting', 'unconfirmed')",
                (now_us, key),
            )

    def channels(self) -> list[dict[str, Any]]:
        """name, failures, failing_us, error, ok_us of channels that were used."""
        cursor = self._db.execute(
            "SELECT name, failures, failing_us, error, ok_us FROM alert_channels ORDER BY name"
        )
        names = [c[0] for c in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def deliveries(self, limit: int) -> list[dict[str, Any]]:
        """The delivery log, newest first: channel, state, attempts, error and times, no content."""
        cursor = self._db.execute(
            "SELECT key, subject, channel, state, attempts, error, created_us, done_us"
            " FROM alert_outbox ORDER BY seq DESC LIMIT ?",
            (limit,),
        )
        names = [c[0] for c in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def about(self, subjects: Iterable[str], since: datetime) -> list[dict[str, Any]]:
        """Messages on these subjects since a time, the oldest first: as in `deliveries`."""
        cursor = self._db.execute(
            "SELECT key, subject, channel, state, attempts, error, created_us, done_us"
            " FROM alert_outbox WHERE created_us >= ?"
            " AND subject IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT 100",
            (microseconds(since), json.dumps(sorted(subjects))),
        )
        names = [c[0] for c in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def payload(self, key: str) -> dict[str, Any]:
        """What a message says; raises KeyError."""
        row = self._db.execute("SELECT record FROM alert_outbox WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        return self._sealer.open(key, row[0])

    def state_of(self, key: str) -> str | None:
        """Where a message stands."""
        row = self._db.execute("SELECT state FROM alert_outbox WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None
