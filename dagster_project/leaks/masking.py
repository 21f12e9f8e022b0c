"""A leak that landed: the texts that the leak scan found go through the gate's treatment once more.

Here: rewriting the sealed partitions that no build has read, the same batches in the spool, from which
the live window is made, and the error groups made of them; then the proof. Not here: finding leaks
(`landed_leaks`), treatments (`privacy/gate/treatments`). A text that is still a leak afterwards is
dropped, an attribute whose name is one goes with its value. The files keep their day's key, because the
day goes on: a backup taken in between holds them until the day expires.
"""

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from dagster_project.leaks.home_scan import without_kinds
from dagster_project.leaks.landed_scan import scan_landed
from ingestion.contracts import LANDED
from ingestion.lake import partitions
from ingestion.lake.binding import path_of
from ingestion.lake.catalog import Catalog, LakeFile
from ingestion.lake.duck import add_file_keys, connect
from ingestion.lake.stored_texts import Texts, table_texts
from ingestion.meaning.errors.group_store import ErrorStore
from ingestion.settings import Settings
from ingestion.spool import Spool
from privacy.gate.treatments import DROPPED, scrub, stack
from privacy.keys.key_store import KeyDestroyed, KeyStore
from privacy.keys.state import FILE
from privacy.leaks.detector import LeakDetector
from privacy.leaks.samples import SAMPLES
from privacy.retention import receipts
from privacy.retention.receipts import Receipt

_JSON = "resource_attributes"
_NAME = "name"
_ROWS = 20_000
Bad = dict[str, frozenset[str]]
"""Texts that are leaks, by field; under `name` the names of attributes."""


class CannotVouch(Exception):
    """The leak detector does not see what was planted: it can neither find nor prove."""


@dataclass(frozen=True)
class Masked:
    """What was rewritten, and what a second scan found: 0."""

    texts: int = 0
    files: int = 0
    batches: int = 0
    error_groups: int = 0
    proof: int = 0


def mask_landed(settings: Settings, keys: KeyStore, now: datetime) -> tuple[Masked, Receipt]:
    """Mask every leak in landed files that no build has read; the receipt is kept.

    Raises CannotVouch. Callers hold the writer's lock and leave the audit entry (`receipts.tell`). Done twice
    it finds nothing more; stopped in between, the next one goes on.
    """
    detector = LeakDetector(own_roots=(settings.home,))
    seen = detector.find_texts(SAMPLES.values())
    blind = [kind for kind in SAMPLES if not seen[kind]]
    if blind:
        raise CannotVouch(f"the leak detector is blind for {', '.join(blind)}")
    masker = _Masker(settings, keys, detector)
    for signal in LANDED:
        masker.lake(signal)
    masker.spool()
    masker.error_groups()
    left = sum(sum(scan_landed(settings, keys, signal).found.values()) for signal in LANDED)
    done = Masked(masker.texts, masker.files, masker.batches, masker.groups, left + masker.left)
    receipt = Receipt(
        id=f"{now.isoformat()}/{receipts.MASK}",
        purged_at=now,
        rule=receipts.MASK,
        purged_before=now,
        partitions=done.files + done.batches + done.error_groups,
        rows=masker.rows,
        bytes=None,
        keys_destroyed=(),
        proof_rows=done.proof,
        proof_files=masker.files_left(),
    )
    if done.files or done.batches or done.error_groups:
        receipts.write(settings.home, keys, receipt)
    return done, receipt


class _Masker:
    """One walk over what no build has read; counts as it goes."""

    def __init__(self, settings: Settings, keys: KeyStore, detector: LeakDetector) -> None:
        self._settings, self._keys, self._detector = settings, keys, detector
        self.texts = self.files = self.batches = self.groups = self.rows = self.left = 0
        self._old: list[LakeFile] = []

    def lake(self, signal: str) -> None:
        """Rewrite the files of a signal in which something is found."""
        catalog = Catalog(self._settings.lake_path)
        try:
            for file in catalog.unscanned(signal):
                self._file(catalog, file)
        finally:
            catalog.close()

    def spool(self) -> None:
        """Rewrite the batches that the live window still reads; the window is made anew."""
        spool = Spool(self._settings.spool_path, self._keys)
        before, after = self.batches, 0
        try:
            while batches := list(spool.read(after)):
                for batch in batches:
                    after = batch.seq
                    if batch.signal not in LANDED:
                        continue
                    try:
                        table = batch.table()
                    except KeyDestroyed:
                        continue  # expired: nobody reads it any more
                    bad = self._bad(batch.signal, table)
                    if bad:
                        clean = self._clean(batch.signal, table, bad)
                        spool.rewrite(batch, clean)
                        self.batches += 1
                        self.left += _count(self._bad(batch.signal, clean))
            if self.batches > before:
                spool.mark_erased()
        finally:
            spool.close()

    def error_groups(self) -> None:
        """Retouch the groups that the live tail has made of such rows."""
        if not (self._settings.home / FILE).exists():
            return
        without = without_kinds("state error_groups", "record")

        def clean(text: str) -> str:
            if not self._detector.find_texts([text], without=without):
                return text
            again = stack(text) if "\n" in text else scrub(text)
            return DROPPED if self._detector.find_texts([again], without=without) else again

        self.groups = ErrorStore(self._settings.home, self._keys).retouch(clean)

    def files_left(self) -> int:
        """Old files that are still on disk."""
        return sum(path_of(self._settings, file).exists() for file in self._old)

    def _file(self, catalog: Catalog, file: LakeFile) -> None:
        con = connect(memory_limit=self._settings.warehouse.memory_limit)
        try:
            add_file_keys(con, self._keys, [file])
            table = con.execute(partitions.scan(self._settings, [file])).to_arrow_table()
            bad = self._bad(file.signal, table)
            if not bad:
                return
            con.register("masked", self._clean(file.signal, table, bad))
            new = partitions.write_partition(
                con,
                self._settings,
                signal=file.signal,
                hour_at=file.hour_at,
                name=f"masked-{secrets.token_hex(4)}.parquet",
                select="SELECT * FROM masked",
                rows=table.num_rows,
                detectors=file.detectors,
                generation=file.generation,
            )
        finally:
            con.close()
        catalog.amend(file, [new])
        path_of(self._settings, file).unlink(missing_ok=True)
        self._old.append(file)
        self.files += 1
        self.texts += _count(bad)

    def _bad(self, signal: str, table: pa.Table) -> Bad:
        """The texts of a table that are leaks where they stand."""
        place = f"lake {signal}"
        found: dict[str, set[str]] = {}
        for part in _by_field(table_texts(place, table)):
            without = without_kinds(place, part.field)
            for text in self._leaking(part.texts, without):
                found.setdefault(part.field, set()).add(text)
        return {field: frozenset(texts) for field, texts in found.items()}

    def _leaking(self, texts: Sequence[str], without: frozenset[str]) -> Iterator[str]:
        """Which of many texts are leaks: halves are looked at until one is left."""
        if not texts or not self._detector.find_texts(texts, without=without):
            return
        if len(texts) == 1:
            yield texts[0]
            return
        middle = len(texts) // 2
        yield from self._leaking(texts[:middle], without)
        yield from self._leaking(texts[middle:], without)

    def _clean(self, signal: str, table: pa.Table, bad: Bad) -> pa.Table:
        """The table with every such text treated again."""
        treated: dict[tuple[str, str], str] = {}

        def text_of(field: str, text: str) -> str:
            if text not in bad.get(field, ()):
                return text
            key = (field, text)
            if key not in treated:
                again = scrub(text)
                without = without_kinds(f"lake {signal}", field)
                is_clean = not self._detector.find_texts([again], without=without)
                treated[key] = again if is_clean else DROPPED
            return treated[key]

        names = bad.get(_NAME, frozenset())
        parts = []
        for start in range(0, table.num_rows, _ROWS):
            rows = table.slice(start, _ROWS).to_pylist()
            cleaned = [
                {c: _walked(c, row[c], table.schema.field(c).type, text_of, names) for c in row}
                for row in rows
            ]
            self.rows += sum(old != new for old, new in zip(rows, cleaned, strict=True))
            parts.append(pa.Table.from_pylist(cleaned, schema=table.schema))
        return pa.concat_tables(parts)


def _by_field(parts: Iterable[Texts]) -> list[Texts]:
    """One part per field, names of attributes apart: their texts stand in any number of columns."""
    found: dict[str, dict[str, None]] = {}
    for part in parts:
        for text in part.texts:
            found.setdefault(part.field, {})[text] = None
            if text == part.field:
                found.setdefault(_NAME, {})[text] = None
    return [Texts("", field, tuple(texts)) for field, texts in found.items()]


def _walked(
    field: str,
    value: Any,
    kind: pa.DataType,
    text_of: Callable[[str, str], str],
    names: frozenset[str],
) -> Any:
    """A value of a column with its texts replaced, however nested."""
    if value is None:
        return None
    if field == _JSON:
        kept = {k: text_of(k, str(v)) for k, v in json.loads(value).items() if k not in names}
        return json.dumps(kept, sort_keys=True)
    if pa.types.is_map(kind):
        return [
            (k, _walked(k, v, kind.item_type, text_of, names)) for k, v in value if k not in names
        ]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [_walked(field, item, kind.value_type, text_of, names) for item in value]
    if pa.types.is_struct(kind):
        inner = [kind.field(n) for n in range(kind.num_fields)]
        return {f.name: _walked(f.name, value[f.name], f.type, text_of, names) for f in inner}
    return text_of(field, value) if isinstance(value, str) else value


def _count(bad: Bad) -> int:
    return sum(len(texts) for texts in bad.values())
