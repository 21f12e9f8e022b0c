"""Alerts, groups, silences, events and the outbox in `state.db`; records are sealed.

Here: tables and transactions. What a round changed and what is to be told about it is committed
at once (outbox pattern): no alert is told that is not stored, none stored that is not told. Not
here: sending (`notifier`), which reads the outbox from another process.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from live_tail.alerts.words.records import (
    Alert,
    Event,
    Group,
    Silence,
    alert_from,
    group_from,
    silence_from,
    to_record,
    to_stored,
)
from privacy.disk.databases import transaction
from privacy.keys.pseudonyms import Pseudonyms
from privacy.keys.state import Sealer, connect
from privacy.keys.store import KeyStore

WAITING, UNCONFIRMED, DELIVERED, SUPERSEDED = "waiting", "unconfirmed", "delivered", "superseded"
_KEEP = timedelta(days=90)


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
class LifeEvent:
    """Something that happened to an episode; `notifications` counts those so far, itself included."""

    seq: int
    at_us: int
    kind: str
    alert: Alert
    notifications: int


class Store:
    """One connection of one process (or thread) to the alerts' tables."""

    def __init__(self, home: Path, keys: KeyStore) -> None:
        self._db = connect(home)
        self._sealer = Sealer(keys, "alerts")
        self.pseudonyms = Pseudonyms(keys, "operations")

    def load(self) -> tuple[dict[str, Alert], dict[str, Group]]:
        """The newest episode of every alert that is not long over, and the groups."""
        alerts: dict[str, Alert] = {}
        for name, record in self._db.execute("SELECT id, record FROM alerts"):
            alert = alert_from(self._sealer.open(name, record))
            if alert.fingerprint not in alerts or alerts[alert.fingerprint].episode < alert.episode:
                alerts[alert.fingerprint] = alert
        rows = self._db.execute("SELECT key, record FROM alert_groups")
        return alerts, {k: group_from(self._sealer.open(k, r)) for k, r in rows}

    def commit(
        self,
        alerts: Iterable[Alert],
        events: Iterable[Event],
        groups: tuple[Mapping[str, Group], Mapping[str, Group]],
        outgoing: Iterable[tuple[str, str, str, timedelta, dict[str, Any]]],
        now: datetime,
    ) -> None:
        """Everything that an instant changed, at once; `groups` are those before and after.

        Outgoing are (key, subject, channel, again after, payload); a key is taken once for ever.
        """
        us = _us(now)
        before, after = groups
        with transaction(self._db):
            self._db.executemany(
                "INSERT OR REPLACE INTO alerts (id, state, updated_us, record) VALUES (?,?,?,?)",
                # In the order of the table's key: thousands of rows then fill its pages one by one.
                sorted(
                    (a.id, a.state.value, us, self._sealer.seal(a.id, to_stored(a))) for a in alerts
                ),
            )
            self._db.executemany(
                "INSERT INTO alert_events (alert, at_us, kind, record) VALUES (?,?,?,?)",
                [(e.alert.id, _us(e.at), e.kind, self._by(e)) for e in events],
            )
            gone = [(k,) for k in before if k not in after]
            self._db.executemany("DELETE FROM alert_groups WHERE key = ?", gone)
            self._db.executemany(
                "INSERT OR REPLACE INTO alert_groups (key, record) VALUES (?,?)",
                [
                    (k, self._sealer.seal(k, to_record(g)))
                    for k, g in after.items()
                    if before.get(k) != g
                ],
            )
            self._db.executemany(
                "INSERT OR IGNORE INTO alert_outbox"
                " (key, subject, channel, created_us, due_us, again_us, state, record)"
                " VALUES (?,?,?,?,?,?,'waiting',?)",
                [
                    (key, subject, channel, us, us, int(again.total_seconds() * 1e6),
                     self._sealer.seal(key, payload))
                    for key, subject, channel, again, payload in outgoing
                ],
            )  # fmt: skip

    def _by(self, event: Event) -> bytes:
        return self._sealer.seal(event.alert.id, {"by": event.by}) if event.by else b""

    def history(self, limit: int) -> list[Alert]:
        """Resolved episodes, the newest first."""
        rows = self._db.execute(
            "SELECT id, record FROM alerts WHERE state = 'resolved' ORDER BY updated_us DESC LIMIT ?",
            (limit,),
        )
        return [alert_from(self._sealer.open(name, record)) for name, record in rows.fetchall()]

    def events(self, alert_id: str) -> list[dict[str, Any]]:
        """What happened to one episode: at_us, kind, by."""
        rows = self._db.execute(
            "SELECT at_us, kind, record FROM alert_events WHERE alert = ? ORDER BY seq", (alert_id,)
        )
        return [
            {
                "at_us": at,
                "kind": kind,
                **(self._sealer.open(alert_id, record) if record else {"by": ""}),
            }
            for at, kind, record in rows.fetchall()
        ]

    def version(self) -> int:
        """A number that is another one once another connection has written; asking costs nothing."""
        return self._db.execute("PRAGMA data_version").fetchone()[0]

    def unsent(self, limit: int) -> list[LifeEvent]:
        """The next events that the warehouse was not told of, in order."""
        rows = self._db.execute(
            "SELECT e.seq, e.at_us, e.kind, e.alert, a.record, (SELECT count(*) FROM alert_events n"
            "   WHERE n.alert = e.alert AND n.kind = 'notified' AND n.seq <= e.seq)"
            " FROM alert_events e JOIN alerts a ON a.id = e.alert"
            " WHERE e.seq > coalesce((SELECT seq FROM alert_events_sent), 0) ORDER BY e.seq LIMIT ?",
            (limit,),
        )
        return [
            LifeEvent(seq, at, kind, alert_from(self._sealer.open(name, record)), count)
            for seq, at, kind, name, record, count in rows.fetchall()
        ]

    def mark_sent(self, seq: int) -> None:
        """The warehouse has the events up to this one."""
        self._db.execute("INSERT OR REPLACE INTO alert_events_sent (id, seq) VALUES (1, ?)", (seq,))

    def silences(self) -> list[Silence]:
        """All that are kept, ended ones included."""
        rows = self._db.execute("SELECT id, record FROM alert_silences ORDER BY ends_us")
        return [silence_from(self._sealer.open(i, record)) for i, record in rows.fetchall()]

    def put_silence(self, silence: Silence) -> None:
        """Add or change a silence."""
        sealed = self._sealer.seal(silence.id, to_record(silence))
        with transaction(self._db):
            self._db.execute(
                "INSERT OR REPLACE INTO alert_silences (id, ends_us, record) VALUES (?,?,?)",
                (silence.id, _us(silence.ends_at), sealed),
            )

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

    def tidy(self, now: datetime) -> None:
        """Forget what is over for longer than ninety days."""
        oldest = _us(now - _KEEP)
        with transaction(self._db):
            self._db.execute(
                "DELETE FROM alerts WHERE state = 'resolved' AND updated_us < ?", (oldest,)
            )
            self._db.execute("DELETE FROM alert_events WHERE at_us < ?", (oldest,))
            self._db.execute("DELETE FROM alert_silences WHERE ends_us < ?", (oldest,))
            self._db.execute("DELETE FROM alert_outbox WHERE done_us < ?", (oldest,))

    def close(self) -> None:
        """Close the connection."""
        self._db.close()


def _us(moment: datetime) -> int:
    return int(moment.timestamp() * 1e6)
