"""The durable queue: what was acknowledged, sealed, in the order it was committed.

Here: one SQLite file (WAL, `synchronous=FULL`) of sealed Arrow batches with the digests that
make ingestion idempotent, and the drain's cursor. Not here: decoding and gating
(`receivers/`), hour partitions (`lake`). The receiver writes; the live tail follows by `seq`;
the drain moves rows to the lake, then advances the cursor. Drained rows stay for the live
window, so that a restarted live tail rebuilds itself from here, and are then deleted.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from privacy.disk.sqlite_databases import Schema, Step, open_database, transaction
from privacy.keys.ids import new_id
from privacy.keys.key_store import DataKey, KeyDestroyed, KeyStore, seal, unseal

DATASET = "spool"
_MAX_PARAMETERS = 500
_LAST = 2**63 - 1
_COLUMNS = "uid, signal, row_count, received_us, day, payload, detector_id"
SCHEMA = Schema(
    steps=(
        Step(
            """
CREATE TABLE IF NOT EXISTS batches (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- never reused, so a cursor stays true after deletes
    uid TEXT NOT NULL,
    signal TEXT NOT NULL,
    row_count INTEGER NOT NULL,
    received_us INTEGER NOT NULL,
    day TEXT NOT NULL,
    payload BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS batches_received ON batches (received_us);
CREATE TABLE IF NOT EXISTS digests (
    digest BLOB PRIMARY KEY, seen_us INTEGER NOT NULL, day TEXT NOT NULL, receipt BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS digests_seen ON digests (seen_us);
CREATE TABLE IF NOT EXISTS cursors (name TEXT PRIMARY KEY, seq INTEGER NOT NULL);
""",
            columns=(
                ("batches", "detector_id", "TEXT NOT NULL DEFAULT ''"),
                ("batches", "set_aside", "TEXT NOT NULL DEFAULT ''"),
                ("batches", "is_taken_back", "INTEGER NOT NULL DEFAULT 0"),
            ),
        ),
    ),
    pragmas=("auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous=FULL"),
)


@dataclass(frozen=True)
class Receipt:
    """What a body contained: item counts by component, kept so that a retry is answered alike.

    `refused` are those of the rejected by component.
    """

    digest: bytes
    signal: str
    items: dict[str, int]
    rejected: int = 0
    message: str = ""
    refused: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class SealedTable:
    """A table sealed before its commit, so that a large body need not lie open in memory as a whole."""

    row: tuple[str, str, int, int, str, bytes]


@dataclass(frozen=True)
class SpoolBatch:
    """One sealed batch; `table()` opens it (schema `ingestion.contracts.LANDED[signal]`).

    `detector_id` says which detector its texts have passed (`privacy.detection.identity`),
    `set_aside` by which version and why it was left out of the lake, if it was.
    """

    seq: int
    uid: str
    signal: str
    row_count: int
    received_us: int
    day: date
    payload: bytes
    detector_id: str
    keys: KeyStore
    set_aside: str = ""
    is_taken_back: bool = False

    def table(self) -> pa.Table:
        """Unseal and decode; raises KeyProblem when the day's key is gone or bytes were altered."""
        key = self.keys.existing_key(f"{DATASET}/{self.day.isoformat()}")
        plain = unseal(key, self.payload, _aad(self.signal, self.uid))
        stream = pa.CompressedInputStream(pa.BufferReader(plain), "zstd")
        return pa.ipc.open_stream(stream).read_all()


class Spool:
    """One connection to the spool; each process (and thread) opens its own."""

    def __init__(self, path: Path, keys: KeyStore) -> None:
        self._keys = keys
        self._db = open_database(path, SCHEMA, check_same_thread=False)

    def seal_table(self, signal: str, table: pa.Table) -> SealedTable:
        """Seal a table with today's key for a later `append`."""
        now_us = time.time_ns() // 1_000
        day = datetime.fromtimestamp(now_us / 1e6, UTC).date()
        key = self._keys.data_key(DATASET, day)
        return SealedTable(_sealed_row(key, signal, table, now_us, day))

    def append(
        self,
        tables: Sequence[tuple[str, pa.Table]],
        receipts: Sequence[Receipt] = (),
        *,
        sealed: Sequence[SealedTable] = (),
        detector_id: str = "",
    ) -> int:
        """Seal and commit tables and receipts in one transaction; returns the last seq.

        `sealed` are tables that `seal_table` has sealed, and come first. `detector_id` names the
        detector that the texts in the tables have passed. When this returns the data survives a power
        cut: it may be acknowledged.
        """
        now_us = time.time_ns() // 1_000
        day = datetime.fromtimestamp(now_us / 1e6, UTC).date()
        key = self._keys.data_key(DATASET, day)
        rows = [(*table.row, detector_id) for table in sealed]
        rows += [
            (*_sealed_row(key, signal, table, now_us, day), detector_id) for signal, table in tables
        ]
        marks = [
            (r.digest, now_us, day.isoformat(), seal(key, _receipt_bytes(r), r.digest))
            for r in receipts
        ]
        with transaction(self._db):
            self._db.executemany(f"INSERT INTO batches ({_COLUMNS}) VALUES (?,?,?,?,?,?,?)", rows)
            self._db.executemany(
                "INSERT OR IGNORE INTO digests (digest, seen_us, day, receipt) VALUES (?,?,?,?)",
                marks,
            )
        return self.last_seq()

    def receipts(self, digests: Sequence[bytes]) -> dict[bytes, Receipt]:
        """The receipts of those bodies that were committed before."""
        found: dict[bytes, Receipt] = {}
        for start in range(0, len(digests), _MAX_PARAMETERS):
            some = digests[start : start + _MAX_PARAMETERS]
            marks = ",".join("?" * len(some))
            rows = self._db.execute(
                f"SELECT digest, day, receipt FROM digests WHERE digest IN ({marks})", tuple(some)
            )
            for digest, day, receipt in rows:
                try:
                    key = self._keys.existing_key(f"{DATASET}/{day}")
                except KeyDestroyed:
                    continue  # a restored backup of an expired day: the body counts as new
                found[digest] = Receipt(digest, **json.loads(unseal(key, receipt, digest)))
        return found

    def read(
        self, after: int, *, limit: int = 256, signals: Sequence[str] | None = None
    ) -> Iterator[SpoolBatch]:
        """Batches with seq > `after`, in order."""
        condition = ""
        if signals is not None:
            condition = f" AND signal IN ({','.join('?' * len(signals))})"
        cursor = self._db.execute(
            f"SELECT {_COLUMNS}, set_aside, is_taken_back, seq FROM batches"
            f" WHERE seq > ?{condition} ORDER BY seq LIMIT ?",
            (after, *(signals or ()), limit),
        )
        yield from map(self._batch, cursor.fetchall())

    def these(self, seqs: Sequence[int]) -> Iterator[SpoolBatch]:
        """Those of some batches that are still held, in order."""
        for start in range(0, len(seqs), _MAX_PARAMETERS):
            some = seqs[start : start + _MAX_PARAMETERS]
            cursor = self._db.execute(
                f"SELECT {_COLUMNS}, set_aside, is_taken_back, seq FROM batches"
                f" WHERE seq IN ({','.join('?' * len(some))}) ORDER BY seq",
                tuple(some),
            )
            yield from map(self._batch, cursor.fetchall())

    def _batch(self, row: tuple[Any, ...]) -> SpoolBatch:
        uid, signal, rows, at_us, day, payload, detector, aside, back, seq = row
        return SpoolBatch(
            seq, uid, signal, rows, at_us, date.fromisoformat(day), payload, detector,
            self._keys, aside, bool(back),
        )  # fmt: skip

    def last_detector(self) -> tuple[str, int] | None:
        """The detector that the latest batch has passed, and when (UTC microseconds)."""
        return self._db.execute(
            "SELECT detector_id, received_us FROM batches WHERE detector_id <> ''"
            " ORDER BY seq DESC LIMIT 1"
        ).fetchone()

    def sizes(
        self, after: int, *, limit: int = -1, until: int | None = None
    ) -> list[tuple[int, int]]:
        """(seq, rows) of the batches after a seq and up to another, in order."""
        return self._db.execute(
            "SELECT seq, row_count FROM batches WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
            (after, _LAST if until is None else until, limit),
        ).fetchall()

    def version(self) -> int:
        """A number that is another one once another connection has committed anything.

        It costs microseconds and reads no table: what follows the spool asks it and nothing else
        for as long as it stays the same.
        """
        return self._db.execute("PRAGMA data_version").fetchone()[0]

    def waiting(self, after: int) -> tuple[int, int | None]:
        """Rows of the batches after a seq, and when the first of them was committed, if any."""
        return self._db.execute(
            "SELECT coalesce(sum(row_count), 0), min(received_us) FROM batches WHERE seq > ?",
            (after,),
        ).fetchone()

    def rows_between(self, after: int, until: int) -> int:
        """Rows of the batches after one seq and up to another."""
        return self._db.execute(
            "SELECT coalesce(sum(row_count), 0) FROM batches WHERE seq > ? AND seq <= ?",
            (after, until),
        ).fetchone()[0]

    def last_seq(self) -> int:
        """The highest seq ever committed, 0 when nothing was."""
        row = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name='batches'").fetchone()
        return row[0] if row else 0

    def pending(self) -> tuple[int, int]:
        """Batches and rows that the lake does not hold yet."""
        row = self._db.execute(
            "SELECT count(*), coalesce(sum(row_count), 0) FROM batches WHERE seq > ?",
            (self.drained_seq(),),
        ).fetchone()
        return row[0], row[1]

    def drained_seq(self) -> int:
        """Everything up to this seq is durable in the lake."""
        row = self._db.execute("SELECT seq FROM cursors WHERE name = 'drain'").fetchone()
        return row[0] if row else 0

    def mark_drained(self, seq: int) -> None:
        """Advance the drain's cursor; call only when the lake's files are fsynced."""
        self._db.execute(
            "INSERT INTO cursors (name, seq) VALUES ('drain', ?)"
            " ON CONFLICT (name) DO UPDATE SET seq = max(seq, excluded.seq)",
            (seq,),
        )

    def prune(self, *, keep_us: int, digest_us: int) -> int:
        """Delete drained rows and digests that are older than this many microseconds."""
        now_us = time.time_ns() // 1_000
        deleted = self._db.execute(
            "DELETE FROM batches WHERE seq <= ? AND received_us < ? AND set_aside = ''",
            (self.drained_seq(), now_us - keep_us),
        ).rowcount
        self._db.execute("DELETE FROM digests WHERE seen_us < ?", (now_us - digest_us,))
        self._db.execute("PRAGMA incremental_vacuum")
        return deleted

    def rewrite(self, batch: SpoolBatch, table: pa.Table) -> None:
        """Replace the rows of a batch by fewer of them, under the same seq and key."""
        key = self._keys.existing_key(f"{DATASET}/{batch.day.isoformat()}")
        sealed = seal(key, _stream_bytes(table), _aad(batch.signal, batch.uid))
        self._db.execute(
            "UPDATE batches SET payload = ?, row_count = ? WHERE seq = ?",
            (sealed, table.num_rows, batch.seq),
        )

    def set_aside(self, seq: int, why: str) -> None:
        """Leave a batch out of the lake and keep it; `why` begins with the product's version."""
        self._db.execute("UPDATE batches SET set_aside = ? WHERE seq = ?", (why, seq))

    def aside(self) -> tuple[int, int]:
        """Batches and rows that are set aside."""
        return self._db.execute(
            "SELECT count(*), coalesce(sum(row_count), 0) FROM batches WHERE set_aside <> ''"
        ).fetchone()

    def take_back(self, version: str) -> int:
        """Put what another version set aside behind what waits, to be tried anew; returns batches."""
        with transaction(self._db):
            chosen = "seq <= ? AND set_aside <> '' AND set_aside NOT LIKE ? || ' %'"
            bound = (self.drained_seq(), version)
            self._db.execute(
                f"INSERT INTO batches ({_COLUMNS}, is_taken_back)"
                f" SELECT {_COLUMNS}, 1 FROM batches WHERE {chosen} ORDER BY seq",
                bound,
            )
            return self._db.execute(f"DELETE FROM batches WHERE {chosen}", bound).rowcount

    def mark_erased(self) -> None:
        """Tell followers that batches they have read hold fewer rows now."""
        self._db.execute(
            "INSERT INTO cursors (name, seq) VALUES ('erasures', 1)"
            " ON CONFLICT (name) DO UPDATE SET seq = seq + 1"
        )

    def erasures(self) -> int:
        """How often batches lost rows; a follower that sees it change reads all of them again."""
        row = self._db.execute("SELECT seq FROM cursors WHERE name = 'erasures'").fetchone()
        return row[0] if row else 0

    def days(self) -> set[date]:
        """Days of which a batch or a digest is held."""
        rows = self._db.execute("SELECT day FROM batches UNION SELECT day FROM digests")
        return {date.fromisoformat(day) for (day,) in rows}

    def size_until(self, day: date) -> tuple[int, int]:
        """Rows and sealed bytes received up to and including a day."""
        row = self._db.execute(
            "SELECT coalesce(sum(row_count), 0), coalesce(sum(length(payload)), 0) FROM batches"
            " WHERE day <= ?",
            (day.isoformat(),),
        ).fetchone()
        return row[0], row[1]

    def delete_until(self, day: date) -> None:
        """Delete batches and digests received up to and including a day, drained or not."""
        for table in ("batches", "digests"):
            self._db.execute(f"DELETE FROM {table} WHERE day <= ?", (day.isoformat(),))
        self._db.execute("PRAGMA incremental_vacuum")

    def close(self) -> None:
        """Close the connection."""
        self._db.close()


def _sealed_row(
    key: DataKey, signal: str, table: pa.Table, now_us: int, day: date
) -> tuple[str, str, int, int, str, bytes]:
    uid = new_id(8)
    sealed = seal(key, _stream_bytes(table), _aad(signal, uid))
    return uid, signal, table.num_rows, now_us, day.isoformat(), sealed


def _stream_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    # One frame over the stream: Arrow's own compression is per buffer, which for small groups
    # costs more processor time and more bytes. Told the size at once, zstd takes small tables for it.
    return pa.compress(sink.getvalue(), codec="zstd", asbytes=True)


def _aad(signal: str, uid: str) -> bytes:
    return f"{DATASET}/{signal}/{uid}".encode()


def _receipt_bytes(receipt: Receipt) -> bytes:
    fields = {
        "signal": receipt.signal,
        "items": receipt.items,
        "rejected": receipt.rejected,
        "message": receipt.message,
        "refused": receipt.refused,
    }
    return json.dumps(fields).encode()
