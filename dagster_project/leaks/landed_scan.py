"""The leak scan of what was just landed: new lake files only, each distinct text once.

Here: DuckDB finds the distinct texts of every field of the files that nobody looked at yet, the
independent detector looks at them, and clean files are noted. Not here: what a leak looks like
(`privacy/leaks/detector`), the whole home (`leak_scan`), Dagster (`defs/checks`). The cost follows distinct
texts; no row is left out. A planted leak of every kind must be seen each time.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from dagster_project.leaks.home_scan import without_kinds
from ingestion.contracts import LANDED
from ingestion.lake.catalog import Catalog, LakeFile
from ingestion.lake.duck import add_file_keys, connect
from ingestion.lake.partitions import scan
from ingestion.settings import Settings
from privacy.keys.key_store import KeyStore
from privacy.leaks.detector import LeakDetector
from privacy.leaks.samples import SAMPLES

_TEXTS = 20_000
_JSON = "resource_attributes"


@dataclass(frozen=True)
class LandedLeaks:
    """What was looked at in a signal; `found` counts by kind, `unseen` names kinds it is blind for."""

    signal: str
    files: int
    rows: int
    texts: int
    found: dict[str, int]
    unseen: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Nothing was found by a detector that sees."""
        return not self.found and not self.unseen


def scan_landed(settings: Settings, keys: KeyStore, signal: str) -> LandedLeaks:
    """Look at the files of a signal that were not looked at; clean ones are not looked at again."""
    catalog = Catalog(settings.lake_path)
    detector = LeakDetector(own_roots=(settings.home,))
    seen = detector.find_texts(SAMPLES.values())
    unseen = tuple(kind for kind in SAMPLES if not seen[kind])
    found: Counter[str] = Counter()
    texts = 0
    files = catalog.unscanned(signal)
    try:
        for field, some in _distinct_texts(settings, keys, signal, files):
            texts += len(some)
            found += detector.find_texts(some, without=without_kinds(f"lake {signal}", field))
        result = LandedLeaks(
            signal, len(files), sum(f.row_count for f in files), texts, dict(found), unseen
        )
        if result.is_clean:
            catalog.note_scanned(files)
        return result
    finally:
        catalog.close()


def accept_landed(settings: Settings, signal: str) -> int:
    """Note files as looked at whatever was found; returns how many. The caller leaves the entry."""
    catalog = Catalog(settings.lake_path)
    try:
        files = catalog.unscanned(signal)
        catalog.note_scanned(files)
        return len(files)
    finally:
        catalog.close()


def _distinct_texts(
    settings: Settings, keys: KeyStore, signal: str, files: list[LakeFile]
) -> Iterator[tuple[str, list[str]]]:
    """(field, distinct texts) in pieces; names of attributes are texts themselves."""
    if not files:
        return
    con = connect(memory_limit=settings.warehouse.memory_limit)
    try:
        add_file_keys(con, keys, files)
        con.execute(f"CREATE VIEW landed AS {scan(settings, files)}")
        for sql in _selects(LANDED[signal]):
            yield from _pieces(con, sql)
    finally:
        con.close()


def _pieces(con: duckdb.DuckDBPyConnection, sql: str) -> Iterator[tuple[str, list[str]]]:
    by_field: dict[str, list[str]] = {}
    for batch in con.execute(sql).to_arrow_reader(_TEXTS):
        for field, text in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            pairs = json.loads(text).items() if field == _JSON else [(field, text)]
            for name, value in pairs:
                by_field.setdefault(str(name), []).append(str(value))
        yield "name", list(by_field)
        yield from by_field.items()
        by_field.clear()


def _selects(schema: pa.Schema) -> Iterator[str]:
    """One SELECT DISTINCT of (field, text) for every place that holds texts, however nested."""
    for field in schema:
        yield from _below(field.name, f'"{field.name}"', field.type, "landed")


def _below(name: str, value: str, kind: pa.DataType, source: str) -> Iterator[str]:
    if pa.types.is_string(kind):
        yield (
            f"SELECT DISTINCT '{name}' AS field, {value} AS text FROM {source}"
            f" WHERE {value} IS NOT NULL AND {value} <> ''"
        )
    elif pa.types.is_map(kind):
        pairs = f"(SELECT unnest(map_entries({value})) AS pair FROM {source})"
        yield f"SELECT DISTINCT pair.key, coalesce(pair.value::VARCHAR, '') FROM {pairs}"
    elif pa.types.is_list(kind):
        yield from _below(
            name, "item", kind.value_type, f"(SELECT unnest({value}) AS item FROM {source})"
        )
    elif pa.types.is_struct(kind):
        for number in range(kind.num_fields):
            inner = kind.field(number)
            yield from _below(inner.name, f'{value}."{inner.name}"', inner.type, source)
