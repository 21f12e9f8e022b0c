"""What is known about groups across restarts: records, counts by hour, decisions, rules by hand.

Here: tables in `state.db`, every text sealed. The live tail counts each spool batch once (a cursor per
signal moves in the same transaction); people's decisions are transitions with who and when. Not here:
what a transition means (`group_states`).
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ingestion.meaning.errors.error_records import Grouped, Occurrence
from ingestion.meaning.errors.escalation import baseline, escalating
from ingestion.meaning.errors.group_states import (
    GroupRecord,
    State,
    also_in,
    muted,
    reopened,
    resolved,
    seen_again,
)
from ingestion.meaning.errors.hand_rules import HandRules, checked_merge, checked_split
from privacy.disk.sqlite_databases import transaction
from privacy.keys.key_store import KeyStore
from privacy.keys.state import Sealer, connect

_HOUR_US = 3_600_000_000
_KEEP_HOURS = 9 * 7 * 24
_TIMES = {f.name for f in fields(GroupRecord) if f.name.endswith("_at")}


class NoSuchGroup(Exception):
    """There is no group of this key; the message names the fix."""


@dataclass(frozen=True)
class Transition:
    """One change of a group's state."""

    key: str
    at: datetime
    state: str
    by: str
    note: str


_TEXTS = "title type culprit explanation component sample_stack last_version environment".split()


class ErrorStore:
    """One connection; one per thread or process."""

    def __init__(self, home: Path, keys: KeyStore) -> None:
        self._db = connect(home)
        self._sealer = Sealer(keys, "errors")
        self._rules: tuple[int, HandRules] | None = None

    def hand_rules(self) -> HandRules:
        """Merges and splits; read again when another process changed the file."""
        seen = self._db.execute("SELECT coalesce(max(id), 0), count(*) FROM error_rules").fetchone()
        mark = seen[0] * 1_000_003 + seen[1]
        if self._rules is None or self._rules[0] != mark:
            rows = self._db.execute("SELECT kind, key, value FROM error_rules").fetchall()
            self._rules = (
                mark,
                HandRules(
                    {k: v for kind, k, v in rows if kind == "merge"},
                    {k: v for kind, k, v in rows if kind == "split"},
                ),
            )
        return self._rules[1]

    def rules_to_build(self, version: str) -> str:
        """What the marts' grouping depends on besides errors: rules by hand and the version."""
        found = self._db.execute(
            "SELECT coalesce(max(id), 0), count(*) FROM error_rules"
        ).fetchone()
        return f"{version}/{found[0]}/{found[1]}"

    def built_rules(self) -> str:
        """What the marts were last built with; empty before the first build."""
        row = self._db.execute("SELECT mark FROM error_builds").fetchone()
        return row[0] if row else ""

    def note_built(self, mark: str) -> None:
        """Remember what the marts were built with."""
        with transaction(self._db):
            self._db.execute("DELETE FROM error_builds")
            self._db.execute("INSERT INTO error_builds (mark) VALUES (?)", (mark,))

    def observe(
        self, signal: str, seq: int, seen: Iterable[tuple[int, str, Grouped, Occurrence]]
    ) -> None:
        """Count occurrences (seq, key, group, occurrence) of batches that were not counted before."""
        counted = self._db.execute(
            "SELECT seq FROM error_cursors WHERE signal = ?", (signal,)
        ).fetchone()
        after = counted[0] if counted else 0
        fresh = [entry for entry in seen if entry[0] > after]
        if not fresh:
            return
        with transaction(self._db):
            records: dict[str, GroupRecord | None] = {}
            for _, key, grouped, occurrence in fresh:
                if key not in records:
                    records[key] = self._find(key)
                records[key] = self._observed(key, records[key], grouped, occurrence)
                self._count(key, occurrence.event_at)
            for record in records.values():
                if record is not None:
                    self._write(record)
            self._db.execute(
                "INSERT INTO error_cursors (signal, seq) VALUES (?, ?) ON CONFLICT (signal)"
                " DO UPDATE SET seq = max(seq, excluded.seq)",
                (signal, seq),
            )

    def _observed(
        self, key: str, record: GroupRecord | None, grouped: Grouped, occurrence: Occurrence
    ) -> GroupRecord:
        if record is None:
            self._transition(key, occurrence.event_at, State.NEW, "", "first seen")
            record = _first(key, grouped, occurrence)
        after = seen_again(record, occurrence.version, occurrence.event_at)
        if after.regressed_at != record.regressed_at:
            note = f"seen in {occurrence.version or 'an unnamed release'}"
            self._transition(key, occurrence.event_at, State.REGRESSED, "", note)
        is_content = after.is_content_delivery or occurrence.is_content_delivery
        return also_in(replace(after, is_content_delivery=is_content), [occurrence.component])

    def find_escalating(self, now: datetime) -> set[str]:
        """Test the last full hour and the hour that runs against history; marks what escalates."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        found: set[str] = set()
        for at in (hour - timedelta(hours=1), hour):
            found |= self._escalating_in(at)
        with transaction(self._db):
            for key in found:
                record = self._find(key)
                if record is not None and record.status is State.ONGOING:
                    if record.state(now) is not State.ESCALATING:
                        self._transition(key, now, State.ESCALATING, "", "more than its history")
                    self._write(replace(record, escalating_at=now))
            self._db.execute(
                "DELETE FROM error_hours WHERE hour_us < ?", (_us(hour) - _KEEP_HOURS * _HOUR_US,)
            )
        return found

    def _escalating_in(self, hour: datetime) -> set[str]:
        counts = dict(
            self._db.execute(
                "SELECT key, occurrences FROM error_hours WHERE hour_us = ?", (_us(hour),)
            ).fetchall()
        )
        tested: dict[str, tuple[int, list[int]]] = {}
        start = self._db.execute("SELECT min(hour_us) FROM error_hours").fetchone()[0]
        for key, count in counts.items():
            rows = self._db.execute(
                "SELECT hour_us, occurrences FROM error_hours WHERE key = ?", (key,)
            )
            history = baseline({_at(h): n for h, n in rows}, hour, _at(start))
            if history is not None:
                tested[key] = (count, history)
        return escalating(tested) if tested else set()

    def groups(self, *, since: datetime | None = None) -> list[GroupRecord]:
        """Every group, the latest first."""
        rows = self._db.execute(
            "SELECT key, record FROM error_groups WHERE last_us >= ? ORDER BY last_us DESC",
            (_us(since) if since else 0,),
        )
        return [self._opened(key, sealed) for key, sealed in rows]

    def group(self, key: str) -> GroupRecord:
        """One group by key or unambiguous beginning; raises NoSuchGroup."""
        rows = self._db.execute(
            "SELECT key, record FROM error_groups WHERE substr(key, 1, length(?)) = ? LIMIT 2",
            (key, key),
        ).fetchall()
        if len(rows) != 1 and key not in [k for k, _ in rows]:
            cause = "several groups begin" if rows else "no group begins"
            raise NoSuchGroup(f"{cause} with {key[:60]}: see `./tta.sh monitor errors list`.")
        chosen = next((row for row in rows if row[0] == key), rows[0])
        return self._opened(*chosen)

    def transitions(self, key: str) -> list[Transition]:
        """What happened to a group, oldest first."""
        rows = self._db.execute(
            "SELECT key, at_us, state, record FROM error_transitions WHERE key = ? ORDER BY id",
            (key,),
        ).fetchall()
        opened = [(k, at, s, self._sealer.open(f"transition/{k}/{at}", r)) for k, at, s, r in rows]
        return [Transition(k, _at(at), state, r["by"], r["note"]) for k, at, state, r in opened]

    def resolve(self, key: str, by: str, release: str | None = None) -> GroupRecord:
        """Mark as resolved in a release."""
        record = self.group(key)
        return self._decided(resolved(record, _now(), release), State.RESOLVED, by, release or "")

    def mute(self, key: str, by: str) -> GroupRecord:
        """Count, but tell nobody."""
        return self._decided(muted(self.group(key), _now()), State.MUTED, by, "")

    def reopen(self, key: str, by: str) -> GroupRecord:
        """Undo a resolution or a mute."""
        return self._decided(reopened(self.group(key), _now()), State.ONGOING, by, "reopened")

    def assign(self, key: str, by: str, assignee: str) -> GroupRecord:
        """Name who looks after it; empty for nobody."""
        record = replace(self.group(key), assignee=assignee or None)
        return self._decided(record, record.status, by, "assigned")

    def merge(self, sources: Sequence[str], target: str, by: str) -> str:
        """Count groups as another one from now on and in every re-run; returns that key."""
        into = self.group(target).key
        added = checked_merge(self.hand_rules(), [self.group(s).key for s in sources], into)
        with transaction(self._db):
            for source, end in added.items():
                self._add_rule("merge", source, end, by)
                self._fold(source, end)
        return self.hand_rules().target(into)

    def split(self, key: str, dimension: str, by: str) -> str:
        """Divide a group by a dimension from now on and in every re-run; returns its key."""
        found = self.group(key).key
        checked_split(self.hand_rules(), found, dimension)
        with transaction(self._db):
            self._add_rule("split", found, dimension, by)
        return found

    def retouch(self, clean: Callable[[str], str]) -> int:
        """Pass every text of every group that telemetry wrote through `clean`; returns groups changed."""
        changed = 0
        with transaction(self._db):
            for record in self.groups():
                texts = {name: clean(getattr(record, name) or "") for name in _TEXTS}
                again = replace(
                    record,
                    **{name: text or getattr(record, name) for name, text in texts.items()},
                    breadcrumbs=tuple(clean(text) for text in record.breadcrumbs),
                    others=tuple(clean(text) for text in record.others),
                )
                if again != record:
                    self._write(again)
                    changed += 1
        return changed

    def _add_rule(self, kind: str, key: str, value: str, by: str) -> None:
        now_us = time.time_ns() // 1_000
        sealed = self._sealer.seal(f"rule/{kind}/{key}", {"by": by})
        self._db.execute(
            "INSERT OR REPLACE INTO error_rules (at_us, kind, key, value, record) VALUES (?,?,?,?,?)",
            (now_us, kind, key, value, sealed),
        )
        self._transition(key, _at(now_us), State.ONGOING, by, f"{kind} {value}")

    def _fold(self, source: str, target: str) -> None:
        """The source's past joins the target's; its own record ends."""
        one, other = self._find(source), self._find(target)
        if one is None or other is None:
            return
        self._write(
            replace(
                also_in(other, one.components),
                count=other.count + one.count,
                first_seen_at=min(one.first_seen_at, other.first_seen_at),
                last_seen_at=max(one.last_seen_at, other.last_seen_at),
            )
        )
        self._db.execute(
            "INSERT INTO error_hours (hour_us, key, occurrences)"
            " SELECT hour_us, ?, occurrences FROM error_hours WHERE key = ?"
            " ON CONFLICT DO UPDATE SET occurrences = occurrences + excluded.occurrences",
            (target, source),
        )
        self._db.execute("DELETE FROM error_hours WHERE key = ?", (source,))
        self._db.execute("DELETE FROM error_groups WHERE key = ?", (source,))

    def _decided(self, record: GroupRecord, state: State, by: str, note: str) -> GroupRecord:
        with transaction(self._db):
            self._write(record)
            self._transition(record.key, _now(), state, by, note)
        return record

    def _count(self, key: str, at: datetime) -> None:
        hour_us = _us(at) - _us(at) % _HOUR_US
        self._db.execute(
            "INSERT INTO error_hours (hour_us, key, occurrences) VALUES (?, ?, 1)"
            " ON CONFLICT DO UPDATE SET occurrences = occurrences + 1",
            (hour_us, key),
        )

    def _transition(self, key: str, at: datetime, state: State, by: str, note: str) -> None:
        sealed = self._sealer.seal(f"transition/{key}/{_us(at)}", {"by": by, "note": note})
        self._db.execute(
            "INSERT INTO error_transitions (key, at_us, state, record) VALUES (?,?,?,?)",
            (key, _us(at), state.value, sealed),
        )

    def _find(self, key: str) -> GroupRecord | None:
        row = self._db.execute("SELECT record FROM error_groups WHERE key = ?", (key,)).fetchone()
        return self._opened(key, row[0]) if row else None

    def _write(self, record: GroupRecord) -> None:
        values = {k: _us(v) if isinstance(v, datetime) else v for k, v in asdict(record).items()}
        self._db.execute(
            "INSERT OR REPLACE INTO error_groups (key, first_us, last_us, status, record)"
            " VALUES (?,?,?,?,?)",
            (
                record.key,
                _us(record.first_seen_at),
                _us(record.last_seen_at),
                record.status.value,
                self._sealer.seal(f"group/{record.key}", values),
            ),
        )

    def _opened(self, key: str, sealed: bytes) -> GroupRecord:
        values: dict[str, Any] = self._sealer.open(f"group/{key}", sealed)
        for name in _TIMES:
            values[name] = None if values[name] is None else _at(values[name])
        values["status"] = State(values["status"])
        values["breadcrumbs"] = tuple(values["breadcrumbs"])
        values["others"] = tuple(values.get("others", ()))
        return GroupRecord(**values)


def _first(key: str, grouped: Grouped, occurrence: Occurrence) -> GroupRecord:
    return GroupRecord(
        key=key,
        title=grouped.title,
        type=grouped.type,
        culprit=grouped.culprit,
        rule=grouped.rule,
        explanation=grouped.explanation(),
        component=occurrence.component,
        sample_stack=occurrence.stack,
        first_seen_at=occurrence.event_at,
        last_seen_at=occurrence.event_at,
        environment=occurrence.environment,
        last_version=occurrence.version,
        is_content_delivery=occurrence.is_content_delivery,
        trace_id=occurrence.trace_id.hex() if occurrence.trace_id else None,
        breadcrumbs=occurrence.breadcrumbs,
        severity=occurrence.severity,
    )


def _us(at: datetime) -> int:
    return int(at.replace(tzinfo=UTC).timestamp() * 1_000_000 + 0.5)


def _at(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1e6, UTC).replace(tzinfo=None)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
