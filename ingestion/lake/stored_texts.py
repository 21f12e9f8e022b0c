"""Every stored string in the clear: what the leak scan reads of sealed spools, lakes and states.

Here: opening sealed things with the keys and giving their distinct texts, each with the field it
stands in. Not here: what is looked for (`privacy/leaks/detector`), marts (`dagster_project/leaks/home_scan`).
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contracts import LANDED
from ingestion.lake.catalog import Catalog
from ingestion.lake.duck import add_file_keys, connect
from ingestion.lake.partitions import scan
from ingestion.settings import Settings
from ingestion.spool import Spool
from privacy.audit.audit_log import Chain
from privacy.disk.sqlite_databases import open_to_read
from privacy.keys.key_store import KeyDestroyed, KeyProblem, KeyStore
from privacy.keys.state import FILE, Sealer

_BATCHES = 64
_ROWS = 100_000
_Field = str


@dataclass(frozen=True)
class Texts:
    """Distinct texts of one field in one place; `problem` says why a place could not be read."""

    place: str
    field: _Field
    texts: tuple[str, ...] = ()
    problem: str = ""


def spool_texts(settings: Settings, keys: KeyStore) -> Iterator[Texts]:
    """The batches and receipts of the spool; what has expired has no text any more."""
    if not settings.spool_path.exists():
        return
    spool = Spool(settings.spool_path, keys)
    after = 0
    try:
        while batches := list(spool.read(after, limit=_BATCHES)):
            for batch in batches:
                after = batch.seq
                try:
                    yield from table_texts(f"spool {batch.signal}", batch.table())
                except KeyDestroyed:
                    continue
                except KeyProblem:
                    yield Texts("spool", batch.signal, problem="a batch does not open")
    finally:
        spool.close()


def lake_texts(settings: Settings, keys: KeyStore) -> Iterator[Texts]:
    """The live files of the lake, file by file."""
    if not settings.lake_path.exists():
        return
    catalog = Catalog(settings.lake_path)
    files = [file for signal in LANDED for file in catalog.files(signal)]
    catalog.close()
    # A connection loads its crypto module first: one for all files of a key, not one a file.
    for key_id, of_key in groupby(sorted(files, key=lambda f: f.key_id), lambda f: f.key_id):
        if not keys.has_id(key_id):
            continue
        con = connect(memory_limit=settings.warehouse.memory_limit)
        try:
            for number, file in enumerate(of_key):
                if number == 0:
                    add_file_keys(con, keys, [file])
                for batch in con.execute(scan(settings, [file])).to_arrow_reader(_ROWS):
                    yield from table_texts(f"lake {file.signal}", pa.table(batch))
        finally:
            con.close()


def state_texts(settings: Settings, keys: KeyStore) -> Iterator[Texts]:
    """Every record of `state.db`: texts in the clear, and sealed records under their ids."""
    path = settings.home / FILE
    if not path.exists():
        return
    sealers = [
        Sealer(keys, d.dataset.removeprefix("state."))
        for d in keys.datasets()
        if d.dataset.startswith("state.")
    ]
    chain = Chain(keys)
    db = open_to_read(path)
    try:
        tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for row in db.execute(f'SELECT * FROM "{table}"'):
                if table == "audit_entries":
                    yield _audit_texts(f"state {table}", row, chain)
                else:
                    made = _MADE_IDS[table](row) if table in _MADE_IDS else ""
                    yield from _row_texts(f"state {table}", row, sealers, made)
    finally:
        db.close()


def _audit_texts(place: str, row: tuple[Any, ...], chain: Chain) -> Texts:
    """The audit log seals by month and time, not by id."""
    at, sealed = row[1:3]
    record = chain.open(at, sealed)
    if record is None:
        return Texts(place, "record", problem="an entry does not open")
    return Texts(place, "record", (json.dumps(record, ensure_ascii=False),))


# Where a record's id is made of several columns.
_MADE_IDS: dict[str, Callable[[tuple[Any, ...]], str]] = {
    "error_groups": lambda row: f"group/{row[0]}",
    "error_transitions": lambda row: f"transition/{row[1]}/{row[2]}",
    "error_rules": lambda row: f"rule/{row[2]}/{row[3]}",
    "release_ledger": lambda row: f"{row[1]}/{row[2]}",
}


def _row_texts(
    place: str, row: tuple[Any, ...], sealers: list[Sealer], made_id: str
) -> Iterator[Texts]:
    plain = tuple(cell for cell in row if isinstance(cell, str))
    if plain:
        yield Texts(place, "text", plain)
    ids = [made_id, *(str(cell) for cell in row if isinstance(cell, str | int))]
    for cell in row:
        if isinstance(cell, bytes) and len(cell) > 38:  # day, nonce and tag of a sealed record
            yield _opened(place, cell, ids, sealers)


def _opened(place: str, sealed: bytes, ids: list[str], sealers: list[Sealer]) -> Texts:
    for sealer in sealers:
        for record_id in ids:
            try:
                record = sealer.open(record_id, sealed)
            except KeyDestroyed:
                continue
            except KeyProblem:
                continue
            return Texts(place, "record", (json.dumps(record, ensure_ascii=False),))
    return Texts(place, "record", problem="a sealed record does not open under its row's ids")


def table_texts(place: str, table: pa.Table) -> Iterator[Texts]:
    """The distinct strings of every column, map entries under their keys, nested ones included."""
    for name in table.column_names:
        column = table.column(name).combine_chunks()
        if name == "resource_attributes":
            yield from _json_texts(place, column)
        else:
            yield from _array_texts(place, name, column)


def _json_texts(place: str, column: pa.Array) -> Iterator[Texts]:
    for text in column.unique().to_pylist():
        for key, value in json.loads(text or "{}").items():
            yield Texts(place, str(key), (str(key), str(value)))


def _array_texts(place: str, field: str, column: pa.Array) -> Iterator[Texts]:
    kind = column.type
    if pa.types.is_map(kind):
        yield from _map_texts(place, column)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield from _array_texts(place, field, column.flatten())
    elif pa.types.is_struct(kind):
        for index in range(kind.num_fields):
            yield from _array_texts(place, kind.field(index).name, pc.struct_field(column, index))
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        texts = tuple(text for text in column.unique().to_pylist() if text)
        if texts:
            yield Texts(place, field, texts)


def _map_texts(place: str, column: pa.MapArray) -> Iterator[Texts]:
    start, end = column.offsets[0].as_py(), column.offsets[-1].as_py()
    names, values = column.keys, column.items
    if not pa.types.is_string(names.type):
        return
    names, values = names.slice(start, end - start), values.slice(start, end - start)
    if not pa.types.is_string(values.type):
        yield from _array_texts(place, "key", names)
        return
    pairs = pa.table({"name": names, "value": values}).group_by("name")
    grouped = pairs.aggregate([("value", "distinct")])
    for name, texts in zip(
        grouped["name"].to_pylist(), grouped["value_distinct"].to_pylist(), strict=True
    ):
        yield Texts(place, name, (name, *(text for text in texts if text)))


def files_below(folder: Path) -> Iterator[Path]:
    """Regular files below a folder, links not followed."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path
