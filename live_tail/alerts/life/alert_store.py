"""What is remembered of alerts, groups, silences and events.

Here: reading it, and the one transaction of an instant. What a round changed and what is to be told about
it is committed at once (outbox pattern): no alert is told that is not stored, none stored that is not
told. Not here: the connection (`tables`), what becomes of a message (`outbox`), what the warehouse is
told (`untold`).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from live_tail.alerts.life.alert_tables import Tables, microseconds
from live_tail.alerts.life.outbox import Outbox, Outgoing
from live_tail.alerts.words.life_records import Alert, Event, Group, Silence
from live_tail.alerts.words.stored import alert_from, group_from, silence_from, to_record, to_stored
from privacy.disk.sqlite_databases import transaction
from privacy.keys.key_store import KeyStore
from privacy.keys.pseudonyms import Pseudonyms

_KEEP = timedelta(days=90)


class Store:
    """What is remembered of alerts, over one connection of one process (or thread)."""

    def __init__(self, home: Path, keys: KeyStore) -> None:
        self.tables = Tables(home, keys)
        self._db, self._sealer = self.tables.db, self.tables.sealer
        self.outbox = Outbox(self.tables)
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
        outgoing: Iterable[Outgoing],
        now: datetime,
    ) -> None:
        """Everything that an instant changed, at once; `groups` are those before and after."""
        us = microseconds(now)
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
                [(e.alert.id, microseconds(e.at), e.kind, self._by(e)) for e in events],
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
            self.outbox.put(outgoing, now)

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
                (silence.id, microseconds(silence.ends_at), sealed),
            )

    def tidy(self, now: datetime) -> None:
        """Forget what is over for longer than ninety days."""
        oldest = microseconds(now - _KEEP)
        with transaction(self._db):
            self._db.execute(
                "DELETE FROM alerts WHERE state = 'resolved' AND updated_us < ?", (oldest,)
            )
            self._db.execute("DELETE FROM alert_events WHERE at_us < ?", (oldest,))
            self._db.execute("DELETE FROM alert_silences WHERE ends_us < ?", (oldest,))
            self._db.execute("DELETE FROM alert_outbox WHERE done_us < ?", (oldest,))
