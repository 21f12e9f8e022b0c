"""The ledger: which (mart, period) was published, at what cost, and the sealed result itself.

Here: append-only entries in `state.db`, each chained to the one before by a keyed digest, with the
result sealed in the same transaction: what was drawn is what is published, whatever dies in between.
Not here: drawing (`release_gate`) and adding up budgets (`epsilon_budget`). The number of entries and
the last digest are also kept in `keys/release.head`, beside the keys and so outside backups of the data:
a ledger that was cut short or restored from a backup is refused, because it has forgotten releases.
"""

import hmac
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from privacy.disk.files import write_whole
from privacy.disk.locks import locked
from privacy.disk.sqlite_databases import transaction
from privacy.keys.key_store import KeyProblem, KeyStore
from privacy.keys.state import Sealer, connect
from privacy.release.period import Period
from privacy.release.results import Receipt, Released, Result

_KIND = "release"
_COLUMNS = """seq, mart, period, micro_epsilon, contribution_bound, keep, mechanism, spec_digest,
result_digest, released_at, entry_digest"""


class LedgerProblem(Exception):
    """The ledger was altered, cut short or restored from a backup; nothing is released from it."""


@dataclass(frozen=True)
class Entry:
    """One release in the ledger; `micro_epsilon` is None for k-anonymity, which has none."""

    seq: int
    mart: str
    period: str
    micro_epsilon: int | None
    contribution_bound: int
    keep: str
    mechanism: str
    spec_digest: str
    result_digest: str
    released_at: str
    entry_digest: str = ""

    @property
    def span(self) -> Period:
        """The period with its days."""
        return Period.parse(self.period)

    @property
    def receipt(self) -> Receipt:
        """What is handed out about this entry."""
        shared = asdict(self)
        micro = shared.pop("micro_epsilon")
        del shared["seq"]
        return Receipt(epsilon=None if micro is None else micro / 1e6, **shared)


class ReleaseLedger:
    """The ledger of one data home."""

    def __init__(self, home: Path, keys: KeyStore) -> None:
        self._db = connect(home)
        self._sealer = Sealer(keys, _KIND)
        self._secret = keys.named_key(f"state.{_KIND}_chain").secret
        self._lock_file = home / "release.lock"
        self._head_file = home / "keys" / "release.head"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One releasing process at a time; released by the system when the process dies."""
        with locked(self._lock_file):
            yield

    def entries(self) -> list[Entry]:
        """All entries in order, unchecked."""
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM release_ledger ORDER BY seq")
        return [Entry(*row) for row in rows]

    def checked_entries(self) -> list[Entry]:
        """All entries; raises LedgerProblem naming the first that is not as it was written."""
        entries = self.entries()
        previous = ""
        for position, entry in enumerate(entries, start=1):
            digest = self._digest(entry, previous)
            if entry.seq != position or not hmac.compare_digest(digest, entry.entry_digest):
                raise LedgerProblem(
                    f"release ledger entry {position} is not as it was written: altered, removed or "
                    "moved. Restore state.db from before; nothing is released until then."
                )
            previous = digest
        self._check_head(entries)
        return entries

    def verify(self) -> int:
        """Check every entry and every sealed result; the number of entries."""
        entries = self.checked_entries()
        for entry in entries:
            self._open(entry)
        return len(entries)

    def find(self, mart: str, period: Period) -> Released | None:
        """What was published about this mart and period, or None."""
        where = "WHERE mart = ? AND period = ?"
        row = self._db.execute(
            f"SELECT {_COLUMNS} FROM release_ledger {where}", (mart, period.label)
        ).fetchone()
        return self._open(Entry(*row)) if row else None

    def released(self, mart: str) -> list[Released]:
        """Everything that was published of a mart, by first day of the period."""
        entries = [entry for entry in self.checked_entries() if entry.mart == mart]
        return [self._open(e) for e in sorted(entries, key=lambda e: (e.span.first, e.period))]

    def append(self, draft: Entry, result: Result) -> Entry:
        """Commit entry and sealed result as one; the caller holds `lock` and has checked both.

        Raises LedgerProblem when something of the kind was released before.
        """
        sealed = self._sealer.seal(_place(draft), result.record())
        with transaction(self._db):
            last = self._db.execute(
                "SELECT seq, entry_digest FROM release_ledger ORDER BY seq DESC LIMIT 1"
            ).fetchone()
            seq, previous = (last[0] + 1, last[1]) if last else (1, "")
            values = {**asdict(draft), "seq": seq}
            entry = Entry(**{**values, "entry_digest": self._digest(Entry(**values), previous)})
            try:
                self._db.execute(
                    f"INSERT INTO release_ledger ({_COLUMNS}, sealed_result) "
                    f"VALUES ({', '.join('?' * 12)})",
                    (*asdict(entry).values(), sealed),
                )
            except sqlite3.IntegrityError as error:
                raise LedgerProblem(
                    f"{draft.mart} {draft.period} is already in the release ledger."
                ) from error
        self.note_head()
        return entry

    def note_head(self) -> None:
        """Write count and last digest beside the keys; the caller holds `lock`."""
        entries = self.entries()
        if not entries:
            return
        head = json.dumps({"entries": len(entries), "digest": entries[-1].entry_digest})
        write_whole(self._head_file, head.encode())

    def _check_head(self, entries: list[Entry]) -> None:
        try:
            head = json.loads(self._head_file.read_text())
            count, digest = int(head["entries"]), str(head["digest"])
        except FileNotFoundError:
            return
        except (ValueError, KeyError, TypeError):
            raise LedgerProblem(
                f"{self._head_file} cannot be read. Restore it from a copy of keys/; nothing is "
                "released until then."
            ) from None
        if not 1 <= count <= len(entries) or entries[count - 1].entry_digest != digest:
            raise LedgerProblem(
                f"the release ledger holds {len(entries)} entries but {count} were released: "
                "state.db was cut short or restored from a backup. Restore the newest state.db; "
                "nothing is released until then."
            )

    def _open(self, entry: Entry) -> Released:
        row = self._db.execute(
            "SELECT sealed_result FROM release_ledger WHERE seq = ?", (entry.seq,)
        ).fetchone()
        try:
            result = Result.of_record(self._sealer.open(_place(entry), row[0]))
        except KeyProblem as error:
            raise LedgerProblem(f"the result of {entry.mart} {entry.period}: {error}") from error
        if result.digest != entry.result_digest:
            raise LedgerProblem(
                f"the result of {entry.mart} {entry.period} is not the one that was released."
            )
        return Released(result, entry.receipt)

    def _digest(self, entry: Entry, previous: str) -> str:
        fields = asdict(entry) | {"entry_digest": previous}
        text = json.dumps(fields, sort_keys=True).encode()
        return hmac.new(self._secret, text, "sha256").hexdigest()


def _place(entry: Entry) -> str:
    return f"{entry.mart}/{entry.period}"
