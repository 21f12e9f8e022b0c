"""Finding what was done to the audit log: the first broken entry and how it was broken.

Here: walking the chain, telling edited, deleted, inserted, reordered and truncated apart, and
comparing with exported heads. Not here: writing (`audit`). The walk needs one HMAC an entry;
records are opened only after the first break, to see which entry really stands there.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from privacy.audit.audit_log import GENESIS, AuditLog, Chain, Head

How = Literal["edited", "deleted", "inserted", "reordered", "truncated"]
_Row = tuple[Any, Any, Any, Any]


class HeadProblem(Exception):
    """An exported head cannot be used; the message names the file, the cause and the fix."""


@dataclass(frozen=True)
class Broken:
    """The first entry that is not as it was written."""

    seq: int
    how: How
    message: str


@dataclass(frozen=True)
class Verification:
    """What a check of the whole log found; `heads` exported heads were compared."""

    entries: int
    heads: int
    broken: Broken | None = None

    @property
    def is_intact(self) -> bool:
        """Whether every entry is as it was written, as far as chain and heads can tell."""
        return self.broken is None


def read_heads(log: AuditLog, places: Iterable[Path]) -> list[Head]:
    """Heads from files and folders of files, by number; raises HeadProblem for one not ours."""
    found = [_read_head(log.chain, file) for place in places for file in _files(place)]
    return sorted(found, key=lambda head: head.seq)


def verify(log: AuditLog, heads: Iterable[Head] = ()) -> Verification:
    """Check every entry, the marks and every head against each other; raises sqlite3.DatabaseError."""
    exported = list(heads)

    def read(db: sqlite3.Connection) -> Verification:
        return _verify(log.chain, db, exported)

    return log.snapshot(read)


def _verify(chain: Chain, db: sqlite3.Connection, heads: list[Head]) -> Verification:
    marks = {n: tuple(m) for n, *m in db.execute("SELECT name, seq, mac, tag FROM audit_marks")}
    (count,) = db.execute("SELECT count(*) FROM audit_entries").fetchone()
    start = marks.get("start")
    seq, mac = start[:2] if start and chain.is_mark("start", *start) else (0, GENESIS)
    wanted = {head.seq: head.mac for head in heads if head.seq > seq}
    for row in _rows(db):
        expected = seq + 1
        if not _follows(chain, row, expected, mac):
            end = marks["head"][0] if _is_head(chain, marks) else None
            broken = _diagnose(chain, row, expected, end, list(_rows(db)))
            return Verification(count, len(heads), broken)
        seq, mac = expected, row[3]
        if wanted.pop(seq, mac) != mac:
            message = f"entry {seq} is not the one whose head was exported: history was replaced"
            return Verification(count, len(heads), Broken(seq, "edited", message))
    return Verification(count, len(heads), _ends(chain, marks, seq, mac, wanted))


def _ends(
    chain: Chain, marks: dict[str, tuple], seq: int, mac: bytes, missing: dict[int, bytes]
) -> Broken | None:
    """What is wrong with the end of a chain whose entries are all good."""
    if missing:
        last = max(missing)
        return Broken(
            seq + 1, "truncated", f"a head was exported at entry {last}, the log ends at {seq}"
        )
    if not _is_head(chain, marks):
        if not marks and seq == 0:
            return None
        return Broken(seq + 1, "truncated", "the mark of the end is missing or was altered")
    end, end_mac = marks["head"][:2]
    if end > seq:
        return Broken(seq + 1, "truncated", f"the log had {end} entries, it ends at {seq}")
    if (end, end_mac) != (seq, mac):
        return Broken(end + 1, "inserted", f"the log had {end} entries, it ends at {seq}")
    return None


def _diagnose(chain: Chain, row: _Row, expected: int, end: int | None, rows: list[_Row]) -> Broken:
    """How the first row that does not follow was broken; records tell which entry really is which."""
    truth = [record["seq"] if (record := chain.open(r[1], r[2])) else None for r in rows]
    here = truth[rows.index(row)]
    how: How = "edited"
    message = f"entry {expected} is not what was written"
    if row[0] == expected == here:
        message = f"the number, time or MAC of entry {expected} was changed"
    elif here is not None and here != expected and truth.count(here) > 1:
        how, message = "inserted", f"a copy of entry {here} stands in place {expected}"
    elif expected in truth and here is None:
        how, message = "inserted", f"what stands in place {expected} was never written"
    elif expected in truth:
        how, message = "reordered", f"entry {here} stands in place {expected}"
    elif here is not None or row[0] != expected:
        how, message = "deleted", f"entry {expected} is missing"
    elif end is not None and expected > end:
        how, message = "inserted", f"the log had {end} entries, this is one more"
    return Broken(expected, how, message)


def _follows(chain: Chain, row: _Row, expected: int, before: bytes) -> bool:
    seq, at, sealed, mac = row
    if seq != expected or not isinstance(at, str) or not isinstance(sealed, bytes):
        return False
    return mac == chain.mac(before, seq, at, sealed)


def _rows(db: sqlite3.Connection) -> Iterator[_Row]:
    return db.execute("SELECT seq, at, sealed, mac FROM audit_entries ORDER BY seq, rowid")


def _is_head(chain: Chain, marks: dict[str, tuple]) -> bool:
    return "head" in marks and chain.is_mark("head", *marks["head"])


def _files(place: Path) -> list[Path]:
    if place.is_dir():
        return sorted(place.glob("*.json"))
    if not place.exists():
        raise HeadProblem(f"{place} does not exist: give a file or folder of exported heads.")
    return [place]


def _read_head(chain: Chain, file: Path) -> Head:
    try:
        found = json.loads(file.read_text())
        seq, mac, tag = found["seq"], bytes.fromhex(found["mac"]), bytes.fromhex(found["tag"])
        at = datetime.fromisoformat(found["exported_at"])
    except (OSError, ValueError, KeyError, TypeError):
        raise HeadProblem(f"{file} is not an exported head: take it out of the folder.") from None
    if not chain.is_mark("export", seq, mac, tag):
        raise HeadProblem(
            f"{file} was not exported with the keys of this home, or was altered: compare it with "
            "another copy."
        )
    return Head(seq, mac, at)
