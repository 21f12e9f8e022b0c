"""What happened to episodes and the warehouse was not told of yet.

Here: reading it in order, and how far the warehouse has it. Not here: sending
(`live_tail/alerts/desk/facts_out`).
"""

from dataclasses import dataclass

from live_tail.alerts.life.alert_tables import Tables
from live_tail.alerts.words.life_records import Alert
from live_tail.alerts.words.stored import alert_from


@dataclass(frozen=True)
class LifeEvent:
    """Something that happened to an episode; `notifications` counts those so far, itself included."""

    seq: int
    at_us: int
    kind: str
    alert: Alert
    notifications: int


class Untold:
    """The events of a home, from where the warehouse's last answer left off."""

    def __init__(self, tables: Tables) -> None:
        self._db, self._sealer = tables.db, tables.sealer

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
