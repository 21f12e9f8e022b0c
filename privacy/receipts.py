"""What a purge leaves behind: a receipt that says what went and that it is gone.

Here: the record and its table in `state.db`, sealed. Not here: purging (`ingestion/expiry`).
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from privacy.keys import KeyStore
from privacy.state import Sealer, connect

_SCHEMA = """
CREATE TABLE IF NOT EXISTS retention_receipts (
    id TEXT PRIMARY KEY, purged_at TEXT NOT NULL, record BLOB NOT NULL);
"""


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
    db = connect(home, _SCHEMA)
    sealed = Sealer(keys, "receipts").seal(receipt.id, record)
    db.execute(
        "INSERT OR REPLACE INTO retention_receipts VALUES (?, ?, ?)",
        (receipt.id, receipt.purged_at.isoformat(), sealed),
    )
    db.close()


def read(home: Path, keys: KeyStore) -> list[Receipt]:
    """All receipts, newest first."""
    db = connect(home, _SCHEMA)
    rows = db.execute("SELECT id, record FROM retention_receipts ORDER BY purged_at DESC, id")
    sealer = Sealer(keys, "receipts")
    found = [_receipt(sealer.open(record_id, sealed)) for record_id, sealed in rows]
    db.close()
    return found


def forget(home: Path, before: datetime) -> int:
    """Delete receipts older than a moment; returns how many."""
    db = connect(home, _SCHEMA)
    deleted = db.execute(
        "DELETE FROM retention_receipts WHERE purged_at < ?", (before.isoformat(),)
    ).rowcount
    db.close()
    return deleted


def _receipt(record: dict) -> Receipt:
    times = {n: datetime.fromisoformat(record[n]) for n in ("purged_at", "purged_before")}
    return Receipt(**{**record, **times, "keys_destroyed": tuple(record["keys_destroyed"])})
