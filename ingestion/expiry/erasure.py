"""Erasing a person: every stored row that holds one of the person's living pseudonyms goes.

Here: finding and rewriting sealed batches and partitions, and the proof. Not here: pseudonyms and
their keys (`privacy`), the warehouse (`dagster_project/retention/erasure`). The id is used to compute
pseudonyms and then forgotten: it is never written, logged or put into an error.

A pseudonym of operations is a person's for as long as its day's key lives, two days; older rows cannot
be told apart by anybody, so there is nothing to erase in them. The order survives a crash: rows first,
the player's own keys last, because without them the rows could not be found again.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contracts import LEDGER, SIGNALS
from ingestion.lake import partitions
from ingestion.lake.binding import path_of
from ingestion.lake.catalog import Catalog, LakeFile
from ingestion.lake.drain import drain
from ingestion.lake.duck import add_file_keys, add_parquet_keys, connect, in_memory
from ingestion.settings import Settings
from ingestion.spool import Spool, SpoolBatch
from privacy.keys.key_store import KeyProblem, KeyStore
from privacy.keys.players import PlayerPseudonyms
from privacy.keys.pseudonyms import Pseudonyms


@dataclass(frozen=True)
class Erasure:
    """What was removed, and what a second search found: 0."""

    pseudonyms: int
    player_keys: int
    lake_rows: int
    lake_files: int
    spool_rows: int
    spool_batches: int
    proof_rows: int


def living_pseudonyms(settings: Settings, keys: KeyStore, subject: str) -> list[str]:
    """Every pseudonym of an id under a key that lives; makes no key."""
    operations = Pseudonyms(keys, "operations")
    daily = [operations.of(subject, day) for day in keys.days(operations.dataset)]
    return [*daily, *PlayerPseudonyms(settings.home, keys).living(subject)]


def erase_rows(settings: Settings, keys: KeyStore, subject: str) -> Erasure:
    """Remove the rows from lake and spool, then the player's keys. Callers hold the writer's lock.

    What arrives after this began is new. Done twice it removes nothing more.
    """
    names = living_pseudonyms(settings, keys, subject)
    drain(settings, keys)
    spool, catalog = Spool(settings.spool_path, keys), Catalog(settings.lake_path)
    last = spool.drained_seq()
    try:
        touched = _lake_files(settings, keys, catalog, names)
        for file, rows in touched:
            _rewrite(settings, keys, catalog, file, names=names, rows=rows)
        batches = _spool_batches(spool, names, last)
        for batch, kept in batches:
            spool.rewrite(batch, kept)
        if touched or batches:
            spool.mark_erased()
        player_keys = PlayerPseudonyms(settings.home, keys).erase(subject)
        left = sum(rows for _, rows in _lake_files(settings, keys, catalog, names))
        left += sum(b.row_count - k.num_rows for b, k in _spool_batches(spool, names, last))
    finally:
        spool.close()
        catalog.close()
    return Erasure(
        pseudonyms=len(names),
        player_keys=player_keys,
        lake_rows=sum(rows for _, rows in touched),
        lake_files=len(touched),
        spool_rows=sum(batch.row_count - kept.num_rows for batch, kept in batches),
        spool_batches=len(batches),
        proof_rows=left,
    )


def holds_any(names: Sequence[str]) -> str:
    """SQL over row alias `t`: any column, key or nested value that holds one of the pseudonyms."""
    # A pseudonym is `p_` and hex digits: it needs no quoting.
    return "(" + " OR ".join([*(f"contains(t::VARCHAR, '{n}')" for n in names), "false"]) + ")"


def _lake_files(
    settings: Settings, keys: KeyStore, catalog: Catalog, names: Sequence[str]
) -> list[tuple[LakeFile, int]]:
    """Files with rows to remove, and how many."""
    found = []
    for signal in SIGNALS:
        for file in catalog.files(signal):
            con = _reading(keys, file)
            sql = f"SELECT count(*) FROM ({partitions.scan(settings, [file])}) AS t WHERE {holds_any(names)}"
            rows = con.execute(sql).fetchall()[0][0]
            con.close()
            if rows:
                found.append((file, rows))
    return found


def _rewrite(
    settings: Settings,
    keys: KeyStore,
    catalog: Catalog,
    file: LakeFile,
    *,
    names: Sequence[str],
    rows: int,
) -> None:
    """Replace a file by one without the rows; the ledger says how many went, in the same step."""
    con = _reading(keys, file)
    select = f"SELECT t.* FROM ({partitions.scan(settings, [file])}) AS t WHERE"
    suffix = secrets.token_hex(4)
    new = []
    if file.row_count > rows:
        new.append(
            partitions.write_partition(
                con,
                settings,
                signal=file.signal,
                hour_at=file.hour_at,
                name=f"erased-{suffix}.parquet",
                select=f"{select} NOT {holds_any(names)}",
                rows=file.row_count - rows,
                detectors=file.detectors,
                generation=file.generation,
            )
        )
    entries = con.execute(
        "SELECT component, ? AS signal, date_trunc('hour', received_at) AS hour_at,"
        " 'duplicate' AS outcome, 'erased' AS reason, count(*) AS items,"
        f" max(received_at) AS received_at FROM ({select} {holds_any(names)}) GROUP BY 1, 3",
        [file.signal],
    ).to_arrow_table()
    new += _ledger_files(con, settings, keys, entries.cast(LEDGER), suffix)
    con.close()
    catalog.amend(file, new)
    path_of(settings, file).unlink(missing_ok=True)


def _ledger_files(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    keys: KeyStore,
    entries: pa.Table,
    suffix: str,
) -> list[LakeFile]:
    con.register("entries", entries)
    hours = con.execute("SELECT hour_at, count(*) FROM entries GROUP BY 1").fetchall()
    add_parquet_keys(con, keys, {("ledger", h.date()) for h, _ in hours}, create=True)
    return [
        partitions.write_partition(
            con,
            settings,
            signal="ledger",
            hour_at=hour,
            name=f"erased-{suffix}.parquet",
            select=f"SELECT * FROM entries WHERE hour_at = '{hour}'",
            rows=count,
        )
        for hour, count in hours
    ]


def _spool_batches(
    spool: Spool, names: Sequence[str], last: int
) -> list[tuple[SpoolBatch, pa.Table]]:
    """Batches up to a seq with rows to remove, and what stays of each."""
    con, found, after = in_memory(), [], 0
    while batches := [b for b in spool.read(after) if b.seq <= last]:
        for batch in batches:
            after = batch.seq
            try:
                table = batch.table()
            except KeyProblem:
                continue  # expired: nobody reads it any more
            kept = _without(con, table, names)
            if kept.num_rows < table.num_rows:
                found.append((batch, kept))
    con.close()
    return found


def _without(con: duckdb.DuckDBPyConnection, table: pa.Table, names: Sequence[str]) -> pa.Table:
    """A table without the rows that hold a pseudonym; what cannot be looked through goes."""
    con.register("incoming", table)
    try:
        sql = f"SELECT {holds_any(names)} AS is_held FROM incoming AS t"
        rows = con.execute(sql).to_arrow_table()
    except duckdb.InvalidInputException:
        return table.slice(0, 0)
    finally:
        con.unregister("incoming")
    return table.filter(pc.invert(rows.column("is_held")))


def _reading(keys: KeyStore, file: LakeFile) -> duckdb.DuckDBPyConnection:
    con = connect()
    add_file_keys(con, keys, [file])
    return con
