"""`state.db`: the small durable state that outlives processes, sealed row by row.

Here: opening the one SQLite file (WAL, `synchronous=FULL`, one writer at a time) and sealing the
records in it. Not here: what the records are; each module creates its own tables (audit chain,
release ledger, accounts, alerts, error groups) with `id` and times in the clear and everything a
person could have typed inside the sealed record. Facts belong to the spool and the lake.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from privacy.keys import DataKey, KeyStore, seal, unseal

FILE = "state.db"


def connect(home: Path, schema: str) -> sqlite3.Connection:
    """A connection in autocommit mode with `schema` (CREATE … IF NOT EXISTS) applied."""
    db = sqlite3.connect(home / FILE, isolation_level=None, timeout=30, check_same_thread=False)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA secure_delete=ON")
    db.executescript(schema)
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """BEGIN IMMEDIATE … COMMIT; rolled back when the block raises."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


class Sealer:
    """Seals JSON records of one kind; a record opens only under the id it was sealed for."""

    def __init__(self, keys: KeyStore, kind: str) -> None:
        self._key: DataKey = keys.named_key(f"state.{kind}")
        self._kind = kind

    def seal(self, record_id: str, record: dict[str, Any]) -> bytes:
        """AES-256-GCM over the record's JSON, bound to kind and id."""
        return seal(self._key, json.dumps(record, sort_keys=True).encode(), self._aad(record_id))

    def open(self, record_id: str, sealed: bytes) -> dict[str, Any]:
        """The record; raises KeyProblem when key, place or bytes differ."""
        return json.loads(unseal(self._key, sealed, self._aad(record_id)))

    def _aad(self, record_id: str) -> bytes:
        return f"state/{self._kind}/{record_id}".encode()
