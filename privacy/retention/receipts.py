"""What a purge leaves behind: a receipt that says what went and that it is gone.

Here: the record and its table in `state.db`, sealed; its audit entry; when the last pass was done. Not
here: purging (`ingestion/expiry/plan`).
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from privacy.keys.state import Sealer, connect

ERASURE = "erasure"
"""The rule that stands in the receipt of an erased person."""

MASK = "landed leak"
"""The rule that stands in the receipt of a leak that was masked after it had landed."""

_ACTIONS = {ERASURE: "privacy.erase", MASK: "privacy.mask"}
_PURGE = "retention.purge"

_TOLD_WITHIN = timedelta(days=7)
_MOST_ENTRIES = 100_000


@dataclass(frozen=True)
class Receipt:
    """One rule's purge; `proof_rows` and `proof_files` count what a search found afterwards: 0."""

    id: str
    purged_at: datetime
    rule: str
    purged_before: datetime
    partitions: int
    rows: int
    bytes: int | None  # None: not measured, as for rows of a mart
    keys_destroyed: tuple[str, ...]
    proof_rows: int
    proof_files: int


def write(home: Path, keys: KeyStore, receipt: Receipt) -> None:
    """Keep a receipt; written again under the same id it stays one."""
    record = asdict(receipt) | {
        "purged_at": receipt.purged_at.isoformat(),
        "purged_before": receipt.purged_before.isoformat(),
    }
    db = connect(home)
    sealed = Sealer(keys, "receipts").seal(receipt.id, record)
    db.execute(
        "INSERT OR REPLACE INTO retention_receipts (id, purged_at, record) VALUES (?, ?, ?)",
        (receipt.id, receipt.purged_at.isoformat(), sealed),
    )
    db.close()


def read(home: Path, keys: KeyStore) -> list[Receipt]:
    """All receipts, newest first."""
    db = connect(home)
    rows = db.execute("SELECT id, record FROM retention_receipts ORDER BY purged_at DESC, id")
    sealer = Sealer(keys, "receipts")
    found = [_receipt(sealer.open(record_id, sealed)) for record_id, sealed in rows]
    db.close()
    return found


def size_before(home: Path, before: datetime) -> tuple[int, int]:
    """(receipts, sealed bytes) older than a moment."""
    db = connect(home)
    sql = "SELECT count(*), coalesce(sum(length(record)), 0) FROM retention_receipts"
    found = db.execute(f"{sql} WHERE purged_at < ?", (before.isoformat(),)).fetchone()
    db.close()
    return found


def forget(home: Path, before: datetime) -> int:
    """Delete receipts older than a moment; returns how many."""
    db = connect(home)
    deleted = db.execute(
        "DELETE FROM retention_receipts WHERE purged_at < ?", (before.isoformat(),)
    ).rowcount
    db.close()
    return deleted


def tell(home: Path, keys: KeyStore, log: AuditLog, *, by: str, now: datetime) -> None:
    """Write the audit entry of every receipt of the last days that has none yet.

    A receipt is durable before its entry is; whoever comes after a crash writes what is missing.
    """
    fresh = [r for r in read(home, keys) if r.purged_at > now - _TOLD_WITHIN]
    for action in (_PURGE, *_ACTIONS.values()):
        wanted = [r for r in fresh if _ACTIONS.get(r.rule, _PURGE) == action]
        if not wanted:
            continue
        entries = log.entries(action=action, limit=_MOST_ENTRIES)
        told = {e.details.get("receipt") for e in entries}
        for receipt in reversed(wanted):
            if receipt.id not in told:
                _tell_one(log, action, receipt, by)


def note_pass(home: Path, at: datetime) -> None:
    """Remember that a whole retention pass was done, whether or not anything was due."""
    db = connect(home)
    db.execute(
        "INSERT OR REPLACE INTO retention_passes (name, done_at) VALUES ('daily', ?)",
        (at.isoformat(),),
    )
    db.close()


def last_pass(home: Path) -> datetime | None:
    """When the last retention pass was done, UTC without zone."""
    db = connect(home)
    row = db.execute("SELECT done_at FROM retention_passes").fetchone()
    db.close()
    return datetime.fromisoformat(row[0]) if row else None


def _tell_one(log: AuditLog, action: str, receipt: Receipt, by: str) -> None:
    proof = receipt.proof_rows + receipt.proof_files
    log.append(
        actor=by,
        action=action,
        target=receipt.rule,
        outcome="failed" if proof else "done",
        receipt=receipt.id,
        purged_before=receipt.purged_before.isoformat(),
        partitions=receipt.partitions,
        rows=receipt.rows,
        bytes=receipt.bytes,
        keys_destroyed=len(receipt.keys_destroyed),
        proof=proof,
    )


def _receipt(record: dict) -> Receipt:
    times = {n: datetime.fromisoformat(record[n]) for n in ("purged_at", "purged_before")}
    return Receipt(**{**record, **times, "keys_destroyed": tuple(record["keys_destroyed"])})
