"""The audit log: who did what to which thing, append-only, hash-chained and keyed.

Here: appending, searching, exporting the head and expiring what is too old. Not here: finding
what was tampered with (`audit_verify`) and what has to be written (whoever does it).

One table in `state.db`. An entry's record is sealed with its month's key; its MAC is
HMAC-SHA256 over the MAC before it, its number, its time and the sealed record, so nobody without
the key changes, drops, adds or moves one unseen. What a chain cannot show by itself is that its
end was cut off together with the mark of the end: the exported head does, kept elsewhere.

Actors, targets and details are constants, ids of ours and counts. Anything else is treated like a
log line before it is sealed.
"""

import hashlib
import hmac
import json
import os
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

from privacy.disk.files import put_in_place
from privacy.disk.sqlite_databases import transaction
from privacy.keys.key_store import KeyProblem, KeyStore, seal, unseal
from privacy.keys.state import connect

Outcome = Literal["done", "refused", "failed"]
Detail = str | int | float | bool | None
HEADS = "audit-heads"
GENESIS = bytes(32)
_KEY = "audit"
_CONSTANT = re.compile(r"(?!.*\d{7})[A-Za-z0-9_][A-Za-z0-9_.:/+*=-]{0,119}\Z", re.ASCII)
_SECRET = re.compile(r"eyJ|(?i:bearer|passw|secret|AKIA|ghp_|sk-)")
# Digests, pseudonyms and times of ours hold digits that a detector would mask.
_OURS = re.compile(
    r"(?:[a-z0-9_-]{1,20}:)?(?:p_[0-9a-f]{20}|[a-z]_[0-9a-f]{12}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})\Z"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|\+00:00)?\Z"
)


@dataclass(frozen=True)
class AuditEntry:
    """One entry; `actor` and `target` are ids of ours, `action` is `<area>.<verb>`."""

    seq: int
    at: datetime
    actor: str
    action: str
    target: str
    outcome: Outcome
    details: dict[str, Detail] = field(default_factory=dict)


@dataclass(frozen=True)
class Head:
    """The end of the chain at a moment: keep it where nobody who can write `state.db` can write."""

    seq: int
    mac: bytes
    exported_at: datetime


class AuditLog:
    """The audit log of one data home; any number of processes and threads may append."""

    def __init__(
        self,
        home: Path,
        keys: KeyStore,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.home = home
        self.chain = Chain(keys)
        self._clock = clock
        self._db = connect(home)
        self._lock = threading.Lock()

    def append(
        self,
        *,
        actor: str,
        action: str,
        target: str = "",
        outcome: Outcome = "done",
        **details: Detail,
    ) -> int:
        """Write one entry durably; returns its number. It is on disk when this returns."""
        record: dict[str, Any] = {
            "actor": plain(actor),
            "action": plain(action),
            "target": plain(target),
            "outcome": outcome,
            "details": {k: plain(v) if isinstance(v, str) else v for k, v in details.items()},
        }
        with self._lock, transaction(self._db):
            return self._insert(record)

    @contextmanager
    def around(
        self,
        *refusals: type[Exception],
        actor: str,
        action: str,
        target: str = "",
        **details: Detail,
    ) -> Iterator[None]:
        """One entry of how a deed went: `done`, `refused` for these errors, else `failed`.

        Why is the error's type: a message could quote somebody. It is written when the deed is
        over, so that nothing is called done that was refused.
        """
        outcome: Outcome = "done"
        try:
            yield
        except BaseException as error:
            outcome = "refused" if isinstance(error, refusals) else "failed"
            details["why"] = type(error).__name__
            raise
        finally:
            self.append(actor=actor, action=action, target=target, outcome=outcome, **details)

    def entries(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        target: str | None = None,
        outcome: Outcome | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> list[AuditEntry]:
        """Entries newest first; `action` ending in a dot names a family such as `access.`.

        A record that does not open is listed as `audit.unreadable`.
        """
        lower = since.astimezone(UTC).isoformat() if since else ""
        upper = until.astimezone(UTC).isoformat() if until else "9"
        sql = "SELECT seq, at, sealed FROM audit_entries WHERE at >= ? AND at < ? ORDER BY seq DESC"
        found: list[AuditEntry] = []
        with self._lock:
            for row in self._db.execute(sql, (lower, upper)):
                entry = self._entry(*row)
                if (
                    actor in (None, entry.actor)
                    and target in (None, entry.target)
                    and outcome in (None, entry.outcome)
                    and _is_of(entry.action, action)
                ):
                    found.append(entry)
                if len(found) >= limit:
                    break
        return found

    def head(self) -> Head:
        """The end of the chain now; number 0 when nothing was written yet."""
        with self._lock:
            seq, mac = self._end()
        return Head(seq, mac, self._clock().astimezone(UTC))

    def export_head(self, folder: Path | None = None) -> Path:
        """Write the head to `<folder>/YYYY-MM-DD.json` (default `<home>/audit-heads`), atomically.

        A file of the same day is replaced only by a head that continues it: a head that the log no
        longer contains is evidence.
        """
        head = self.head()
        target = (folder or self.home / HEADS) / f"{head.exported_at:%Y-%m-%d}.json"
        if target.exists() and not self._continues(target):
            return target
        text = json.dumps(
            {
                "seq": head.seq,
                "mac": head.mac.hex(),
                "exported_at": head.exported_at.isoformat(),
                "tag": self.chain.tag("export", head.seq, head.mac).hex(),
            }
        )
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_suffix(f".{os.getpid()}.new")
        temporary.write_text(text + "\n")
        put_in_place(temporary, target)
        return target

    def due(self, before: datetime) -> tuple[int, int, tuple[str, ...]]:
        """(entries, sealed bytes, key ids) that `expire` would remove."""
        limit = before.astimezone(UTC)
        with self._lock:
            rows, size = self._db.execute(
                "SELECT count(*), coalesce(sum(length(sealed)), 0) FROM audit_entries WHERE seq < coalesce("
                "(SELECT min(seq) FROM audit_entries WHERE at >= ?),"
                " (SELECT max(seq) + 1 FROM audit_entries))",
                (limit.isoformat(),),
            ).fetchone()
        return rows, size, tuple(f"{_KEY}/{m}" for m in self.chain.months_before(limit.date()))

    def expire(self, before: datetime) -> int:
        """Delete entries older than a moment and the keys of months that ended; returns how many.

        The chain then starts at an authenticated mark, and the expiry is an entry itself.
        """
        limit = before.astimezone(UTC).isoformat()
        months = self.chain.months_before(before.astimezone(UTC).date())
        gone = 0
        with self._lock, transaction(self._db):
            last = self._db.execute(
                "SELECT seq, mac FROM audit_entries WHERE seq < coalesce("
                "(SELECT min(seq) FROM audit_entries WHERE at >= ?),"
                " (SELECT max(seq) + 1 FROM audit_entries)) ORDER BY seq DESC LIMIT 1",
                (limit,),
            ).fetchone()
            if last is not None:
                self._mark("start", *last)
                done = self._db.execute("DELETE FROM audit_entries WHERE seq <= ?", last[:1])
                gone = done.rowcount
                details = {"entries": gone, "through_seq": last[0], "keys": len(months)}
                self._insert(
                    {
                        "actor": "service:retention",
                        "action": "audit.expire",
                        "target": "audit",
                        "outcome": "done",
                        "details": details,
                    }
                )
        self.chain.destroy(months)
        return gone

    def snapshot(self, reader: Callable[[sqlite3.Connection], Any]) -> Any:
        """What `reader` makes of one consistent view of the tables."""
        with self._lock:
            self._db.execute("BEGIN")
            try:
                return reader(self._db)
            finally:
                self._db.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def _insert(self, record: dict[str, Any]) -> int:
        before, mac = self._end()
        seq, at = before + 1, self._clock().astimezone(UTC).isoformat()
        sealed = self.chain.seal({**record, "seq": seq}, at)
        mac = self.chain.mac(mac, seq, at, sealed)
        self._db.execute(
            "INSERT INTO audit_entries (seq, at, sealed, mac) VALUES (?, ?, ?, ?)",
            (seq, at, sealed, mac),
        )
        self._mark("head", seq, mac)
        return seq

    def _continues(self, exported: Path) -> bool:
        """Whether the log still contains the entry whose head a file holds."""
        try:
            found = json.loads(exported.read_text())
            seq, mac = int(found["seq"]), bytes.fromhex(found["mac"])
        except (ValueError, KeyError, TypeError):
            return False
        with self._lock:
            row = self._db.execute("SELECT mac FROM audit_entries WHERE seq = ?", (seq,)).fetchone()
        return seq == 0 or (row is not None and row[0] == mac)

    def _entry(self, seq: int, at: str, sealed: bytes) -> AuditEntry:
        record = self.chain.open(at, sealed)
        if record is None:
            return AuditEntry(seq, _moment(at), "", "audit.unreadable", "", "failed")
        return AuditEntry(
            seq,
            _moment(at),
            record["actor"],
            record["action"],
            record["target"],
            record["outcome"],
            record["details"],
        )

    def _end(self) -> tuple[int, bytes]:
        """Number and MAC to continue from. A lost or forged mark leaves a break that stays visible."""
        mark = self._db.execute(
            "SELECT seq, mac, tag FROM audit_marks WHERE name = 'head'"
        ).fetchone()
        (last,) = self._db.execute("SELECT max(seq) FROM audit_entries").fetchone()
        if mark is None and last is None:
            return 0, GENESIS
        if mark and self.chain.is_mark("head", *mark) and (last or 0) <= mark[0]:
            return mark[0], mark[1]
        return last or 0, self.chain.tag("lost", last or 0, GENESIS)

    def _mark(self, name: str, seq: int, mac: bytes) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO audit_marks (name, seq, mac, tag) VALUES (?, ?, ?, ?)",
            (name, seq, mac, self.chain.tag(name, seq, mac)),
        )


class Chain:
    """The keyed functions of the chain."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self._secret = keys.named_key(_KEY).secret

    def mac(self, before: bytes, seq: int, at: str, sealed: bytes) -> bytes:
        """MAC of an entry given the MAC of the one before."""
        place = f"{seq}/{at}".encode()
        return self._hmac(b"entry", before, len(place).to_bytes(2, "big"), place, sealed)

    def tag(self, name: str, seq: int, mac: bytes) -> bytes:
        """MAC of a mark such as the head."""
        return self._hmac(b"mark", name.encode(), seq.to_bytes(8, "big"), mac)

    def is_mark(self, name: str, seq: object, mac: object, tag: object) -> bool:
        """Whether a mark was made with our key."""
        if not isinstance(seq, int) or not isinstance(mac, bytes) or not isinstance(tag, bytes):
            return False
        return seq >= 0 and hmac.compare_digest(tag, self.tag(name, seq, mac))

    def seal(self, record: dict[str, Any], at: str) -> bytes:
        """The record sealed with its month's key, bound to its time."""
        key = self._keys.data_key(_KEY, _month(at))
        return seal(key, json.dumps(record, sort_keys=True).encode(), _aad(at))

    def open(self, at: object, sealed: object) -> dict[str, Any] | None:
        """The record, or None when it is not one of ours."""
        try:
            key = self._keys.existing_key(f"{_KEY}/{_month(str(at)).isoformat()}")
            return json.loads(unseal(key, bytes(sealed), _aad(str(at))))  # type: ignore[arg-type]
        except (KeyProblem, ValueError, TypeError):
            return None

    def months_before(self, day: date) -> list[date]:
        """Months that have a key and ended before a day."""
        return [month for month in self._keys.days(_KEY) if month < day.replace(day=1)]

    def destroy(self, months: list[date]) -> None:
        """Destroy the keys of months."""
        for month in months:
            self._keys.destroy(_KEY, month)

    def _hmac(self, *parts: bytes) -> bytes:
        return hmac.new(self._secret, b"\0".join(parts), hashlib.sha256).digest()


def plain(text: str) -> str:
    """A constant, an id, a digest or a time as it is; any other text as the gate would keep it."""
    if not text or _OURS.match(text) or (_CONSTANT.match(text) and not _SECRET.search(text)):
        return text
    # The detectors take a second to load, and constants never need them.
    from privacy.gate.treatments import scrub  # noqa: PLC0415

    return scrub(text)


def _month(at: str) -> date:
    return date.fromisoformat(at[:10]).replace(day=1)


def _aad(at: str) -> bytes:
    return f"audit/{at}".encode()


def _is_of(action: str, wanted: str | None) -> bool:
    if wanted is None:
        return True
    return action.startswith(wanted) if wanted.endswith(".") else action == wanted


def _moment(at: object) -> datetime:
    try:
        return datetime.fromisoformat(str(at)).astimezone(UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
