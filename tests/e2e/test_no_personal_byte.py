"""After receiving and building everything, no e-mail, name or token of the capture is on disk."""

import re
from pathlib import Path

from ingestion.contracts import LANDED
from ingestion.lake.catalog import Catalog
from ingestion.lake.duck import add_parquet_keys, connect, open_published
from ingestion.lake.partitions import scan
from ingestion.receivers.committing.pipeline import Incoming
from ingestion.settings import Settings
from ingestion.spool import Spool
from privacy.keys.key_store import KeyStore

EMAIL = re.compile(rb"[A-Za-z0-9._+-]+@(?:[A-Za-z0-9-]+\.)+(?:com|org|net)")
JWT = re.compile(rb"eyJ[\w-]{10,}\.[\w-]{10,}")
USERNAME = re.compile(rb"username=([\w.-]+)|User ([\w.-]+) created")


def secrets_of(incoming: list[Incoming]) -> set[bytes]:
    """What personal data the capture really holds."""
    found: set[bytes] = set()
    for body in incoming:
        found |= set(EMAIL.findall(body.body)) | set(JWT.findall(body.body))
        found |= {name for pair in USERNAME.findall(body.body) for name in pair if name}
    return {secret for secret in found if len(secret) >= 4}


def files_with(folder: Path, secrets: set[bytes]) -> list[tuple[str, bytes]]:
    hits = []
    for file in folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            hits += [(str(file.relative_to(folder)), s) for s in secrets if s in content]
    return hits


def decrypted_texts(settings: Settings) -> bytes:
    """Every stored string of spool, lake and published copy, opened with the keys."""
    keys = KeyStore.open(settings.home)
    parts: list[str] = []
    for batch in Spool(settings.spool_path, keys).read(0, limit=100_000):
        parts += [str(column.to_pylist()) for column in batch.table().columns]
    con = connect()
    catalog = Catalog(settings.lake_path)
    for signal in LANDED:
        files = catalog.files(signal)
        add_parquet_keys(con, keys, {(signal, f.day) for f in files})
        parts.append(str(con.execute(f"SELECT * FROM ({scan(settings, files)})").fetchall()))
    published = open_published(settings, "operations")
    for (table,) in published.execute("SHOW TABLES").fetchall():
        parts.append(str(published.execute(f"FROM {table}").fetchall()))
    return "\n".join(parts).encode()


def test_the_capture_really_holds_personal_data(incoming: list[Incoming]) -> None:
    secrets = secrets_of(incoming)
    assert any(b"@" in s for s in secrets)
    assert any(s.startswith(b"eyJ") for s in secrets)
    assert len(secrets) >= 8


def test_no_personal_byte_is_on_disk_sealed_or_not(
    built: Settings, incoming: list[Incoming]
) -> None:
    secrets = secrets_of(incoming)
    assert files_with(built.home, secrets) == []
    texts = decrypted_texts(built)
    assert len(texts) > 1_000_000
    assert {s for s in secrets if s in texts} == set()


def test_the_scan_sees_a_planted_byte(built: Settings, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "x.bin").write_bytes(b"\0\0alice@example.com\0")
    assert files_with(tmp_path, {b"alice@example.com"}) == [("deep/x.bin", b"alice@example.com")]
