"""A scratch home with one planted leak of every kind in every medium: the control of a scan.

Here: planting, under the keys of the home, and cleaning up. Not here: looking (`home_scan`), what a leak
looks like (`privacy/leaks/samples`).
"""

import base64
import gzip
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import zstandard

from dagster_project.marts.warehouse import warehouse_key
from ingestion.contracts import LANDED
from ingestion.lake.drain import drain
from ingestion.lake.duck import attach, connect, published_dataset
from ingestion.settings import Settings
from ingestion.spool import Spool
from privacy.keys import state
from privacy.keys.key_store import KeyStore, utc_today
from privacy.leaks.samples import SAMPLES

SCRATCH = "leak-scan-"
_STATE_KIND = "leak_scan"
_ENCODED = {
    "text": lambda plain: plain,
    "utf-16": lambda plain: plain.decode().encode("utf-16"),
    "base64": base64.b64encode,
    "hex": lambda plain: plain.hex().encode(),
    "percent": lambda plain: quote(plain).encode(),
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
}
MEDIA = (
    "spool spans",
    "lake spans",
    "state canaries",
    "warehouse canaries",
    "published canaries",
    *(f"run/{name}.log" for name in _ENCODED),
    "dagster/pages.db",
)


@contextmanager
def planted(settings: Settings, keys: KeyStore) -> Iterator[Settings]:
    """Settings of a scratch home inside the home, which goes at the end of the block."""
    folder = settings.home / f"{SCRATCH}{secrets.token_hex(6)}"
    folder.mkdir(mode=0o700)
    # The same keys: lake files are bound to the home whose keys folder it is.
    (folder / "keys").symlink_to(settings.home / "keys")
    scratch = settings.model_copy(update={"home": folder})
    try:
        _plant_sealed(scratch, keys)
        _plant_raw(folder)
        yield scratch
    finally:
        shutil.rmtree(folder)


def _plant_sealed(scratch: Settings, keys: KeyStore) -> None:
    lines = list(SAMPLES.values())
    spool = Spool(scratch.spool_path, keys)
    spool.append([("spans", _spans(lines))])
    spool.close()
    drain(scratch, keys)
    db = state.connect(scratch.home)
    db.execute("CREATE TABLE canaries (id TEXT PRIMARY KEY, record BLOB)")
    record = state.Sealer(keys, _STATE_KIND).seal("1", {"lines": lines})
    db.execute("INSERT INTO canaries VALUES ('1', ?)", [record])
    db.close()
    (scratch.home / "published").mkdir()
    day = utc_today()
    for name, path, key in (
        ("warehouse", scratch.warehouse_path, warehouse_key(scratch, keys)),
        (
            "published",
            scratch.published_path("operations"),
            keys.data_key(published_dataset("operations"), day),
        ),
    ):
        con = connect()
        attach(con, path, name, key)
        con.execute(f"CREATE TABLE {name}.main.canaries AS SELECT unnest(?) AS line", [lines])
        con.close()


def _spans(lines: list[str]) -> pa.Table:
    """One span per line; the line stands where an attribute's value would."""
    now = datetime.now(UTC).replace(tzinfo=None)
    filled = {
        pa.string(): "",
        pa.int64(): 1,
        pa.timestamp("us"): now,
        pa.binary(): b"\x01" * 8,
        LANDED["spans"].field("attributes").type: [],
    }
    columns = []
    for field in LANDED["spans"]:
        if field.name == "attributes":
            values: list[object] = [[("canary", line)] for line in lines]
        elif field.name == "span_id":
            values = [number.to_bytes(8, "big") for number in range(1, len(lines) + 1)]
        elif field.name == "resource_attributes":
            values = ["{}"] * len(lines)
        else:
            values = [filled.get(field.type, [])] * len(lines)
        columns.append(pa.array(values, field.type))
    return pa.table(columns, schema=LANDED["spans"])


def _plant_raw(folder: Path) -> None:
    plain = "\n".join(SAMPLES.values()).encode()
    (folder / "run").mkdir()
    for name, encode in _ENCODED.items():
        (folder / "run" / f"{name}.log").write_bytes(b"\x00\xff" + encode(plain))
    (folder / "dagster").mkdir()
    # Deleted rows stay in SQLite's free pages unless secure_delete is on.
    db = sqlite3.connect(folder / "dagster" / "pages.db", isolation_level=None)
    db.execute("PRAGMA secure_delete=OFF")
    db.execute("CREATE TABLE canaries (line TEXT)")
    db.execute("INSERT INTO canaries VALUES (?)", [plain.decode()])
    db.execute("DELETE FROM canaries")
    db.close()
