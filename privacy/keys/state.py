"""`state.db`: the small durable state that outlives processes, sealed row by row.

Here: opening the one SQLite file (WAL, `synchronous=FULL`, one writer at a time) and sealing the
records in it. Not here: which tables there are (`state_tables`) and what the records are; each owner
keeps `id` and times in the clear and everything a person could have typed inside the sealed record.
Facts belong to the spool and the lake.
"""

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

from privacy.disk.sqlite_databases import open_database
from privacy.keys.key_store import KeyProblem, KeyStore, seal, unseal, utc_today
from privacy.keys.state_tables import STATE

FILE = "state.db"
_DAY_BYTES = 10
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def connect(home: Path) -> sqlite3.Connection:
    """A connection in autocommit mode that threads may share; raises DatabaseProblem."""
    return open_database(home / FILE, STATE, check_same_thread=False)


class Sealer:
    """Seals JSON records of one kind; a record opens only under the id it was sealed for.

    A sealed record begins with the UTC day in the clear (`2026-03-01`) whose key seals it: destroying
    the day's key is what makes a kind's old records gone.
    """

    def __init__(self, keys: KeyStore, kind: str) -> None:
        self._keys = keys
        self._kind = kind

    @property
    def dataset(self) -> str:
        """The dataset of the kind's day keys."""
        return f"state.{self._kind}"

    def seal(self, record_id: str, record: dict[str, Any]) -> bytes:
        """AES-256-GCM over the record's JSON with today's key, bound to kind, id and day."""
        today = utc_today()
        key = self._keys.data_key(self.dataset, today)
        plain = _json(record)
        return today.isoformat().encode() + seal(key, plain, self._aad(record_id, key.id))

    def open(self, record_id: str, sealed: bytes) -> dict[str, Any]:
        """The record; raises KeyProblem when key, place or bytes differ."""
        day = sealed[:_DAY_BYTES].decode(errors="replace")
        if not _DAY.fullmatch(day):
            raise KeyProblem(
                f"record {record_id} of {self.dataset} in {FILE} is altered. Restore it from a backup."
            )
        key = self._keys.existing_key(f"{self.dataset}/{day}")
        return json.loads(unseal(key, sealed[_DAY_BYTES:], self._aad(record_id, key.id)))

    def _aad(self, record_id: str, key_id: str) -> bytes:
        return f"{key_id}/{record_id}".encode()


def _json(record: dict[str, Any]) -> bytes:
    from pydantic_core import to_json  # noqa: PLC0415 - 4 MB for processes that only read

    # An alert round seals twenty thousand records: `json.dumps` would take five times as long.
    try:
        return to_json(record, inf_nan_mode="constants")
    except ValueError:  # half of a surrogate pair has no UTF-8
        return json.dumps(record).encode()
