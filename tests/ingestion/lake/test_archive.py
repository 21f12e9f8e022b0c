"""The archive: old days move there sealed, stay counted and reachable, and are purged with their key."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from dagster_project.leaks.home_scan import scan_home
from dagster_project.retention.daily import run_pass
from ingestion.expiry import plan as expiry
from ingestion.expiry.doomed import Doomed
from ingestion.lake import archive
from ingestion.lake import drain as lake
from ingestion.lake.catalog import Catalog, LakeFile
from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.settings import Settings, load_settings
from live_tail.alerts.trials.backtest import _history
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyProblem, KeyStore
from privacy.retention.retention_policy import load_policy
from tests.ingestion.expiry.test_expiry import MARKER, NOW, found, send
from tests.ingestion.lake.test_lake import rows

POLICY = load_policy({"spans": {"archive": "3d", "purge": "10d"}})


@pytest.fixture
def filled(settings: Settings, keys: KeyStore, pipeline: Pipeline) -> Settings:
    """One span a day for twelve days, all built."""
    for days in range(12):
        send(pipeline, days + 1, NOW - timedelta(days=days, minutes=30))
    lake.drain(settings, keys)
    catalog = Catalog(settings.lake_path)
    catalog.clean(catalog.dirty_hours())
    catalog.close()
    return settings


def files(settings: Settings) -> list[LakeFile]:
    catalog = Catalog(settings.lake_path)
    try:
        return catalog.files("spans")
    finally:
        catalog.close()


def on_disk(folder: Path) -> int:
    return len(list((folder / "spans").rglob("*.parquet")))


def test_the_plan_counts_what_would_move_and_moves_nothing(
    filled: Settings, keys: KeyStore
) -> None:
    moving = [d for d in expiry.plan(filled, keys, POLICY, NOW) if d.action == "archive"]
    # Whole days that ended three days before: 20 November and older.
    assert [(d.rule, d.rows, len(d.files), d.key_ids) for d in moving] == [("spans", 8, 8, ())]
    assert moving[0].bytes == sum(
        (filled.lake_path / f.path).stat().st_size for f in moving[0].files
    )
    assert (on_disk(filled.lake_path), on_disk(filled.archive_path)) == (12, 0)


def test_a_pass_moves_whole_days_sealed_and_the_log_says_so(
    filled: Settings, keys: KeyStore
) -> None:
    run_pass(filled, keys, POLICY, NOW)
    assert (on_disk(filled.lake_path), on_disk(filled.archive_path)) == (4, 7)
    assert sum(f.is_archived for f in files(filled)) == 7
    assert len(rows(filled, keys, "spans")) == 11
    raw = b"".join(f.read_bytes() for f in filled.archive_path.rglob("*.parquet"))
    assert MARKER.encode() not in raw
    assert found(filled.archive_path, keys, MARKER) == 7
    with AuditLogOf(filled, keys) as log:
        (entry,) = log.entries(action="retention.archive")
    assert (entry.target, entry.details["rows"], entry.details["partitions"]) == ("spans", 7, 7)
    run_pass(filled, keys, POLICY, NOW)
    assert (on_disk(filled.lake_path), on_disk(filled.archive_path)) == (4, 7)


class AuditLogOf:
    """The log, closed again."""

    def __init__(self, settings: Settings, keys: KeyStore) -> None:
        self._log = AuditLog(settings.home, keys)

    def __enter__(self) -> AuditLog:
        return self._log

    def __exit__(self, *_: object) -> None:
        self._log.close()


def test_what_is_archived_is_purged_later_with_its_key_from_backups_too(
    filled: Settings, keys: KeyStore, tmp_path: Path
) -> None:
    run_pass(filled, keys, POLICY, NOW)
    backup = tmp_path / "backup"
    shutil.copytree(filled.archive_path, backup)
    assert found(backup, keys, MARKER) == 7
    done = {r.rule: r for r in expiry.purge(filled, keys, POLICY, NOW + timedelta(days=3))}
    assert (done["spans"].rows, done["spans"].proof_rows, done["spans"].proof_files) == (3, 0, 0)
    assert found(backup, keys, MARKER) == found(filled.archive_path, keys, MARKER) == 4
    assert on_disk(filled.archive_path) == 4


def test_a_late_row_and_a_repeated_one_of_an_archived_hour_are_seen_as_such(
    filled: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    run_pass(filled, keys, POLICY, NOW)
    at = NOW - timedelta(days=6, minutes=30)
    send(pipeline, 99, at)
    lake.drain(filled, keys)
    assert len(rows(filled, keys, "spans")) == 12
    hour = at.replace(minute=0)
    assert sorted(f.is_archived for f in files(filled) if f.hour_at == hour) == [False, True]
    pipeline_again = Pipeline(pipeline.spool, keys)
    pipeline_again.spool._db.execute("DELETE FROM digests")
    send(pipeline_again, 99, at)
    send(pipeline_again, 7, at)  # the archived row itself
    lake.drain(filled, keys)
    assert len(rows(filled, keys, "spans")) == 12
    # The hour waits for its build, then the late part follows into the archive.
    run_pass(filled, keys, POLICY, NOW)
    assert sum(f.is_archived for f in files(filled)) == 7
    catalog = Catalog(filled.lake_path)
    catalog.clean(catalog.dirty_hours())
    run_pass(filled, keys, POLICY, NOW)
    assert sum(f.is_archived for f in files(filled)) == 8


def test_history_reads_the_archive_only_when_asked(filled: Settings, keys: KeyStore) -> None:
    run_pass(filled, keys, POLICY, NOW)

    def seen(with_archive: bool) -> int:
        return sum(1 for f in files(filled) if with_archive or not f.is_archived)

    def hours(with_archive: bool) -> int:
        arrived = _history(filled, timedelta(days=4_000), with_archive)
        return sum(table.num_rows for _, signal, table in arrived if signal == "spans")

    assert (hours(False), hours(True)) == (seen(False), seen(True)) == (4, 11)


def test_the_leak_scan_looks_into_the_archive(filled: Settings, keys: KeyStore) -> None:
    before = scan_home(filled, keys, artefacts=()).texts
    run_pass(filled, keys, load_policy({"spans": {"archive": "3d", "purge": "keep"}}), NOW)
    after = scan_home(filled, keys, artefacts=())
    assert after.texts >= before and after.unread == ()


@pytest.mark.parametrize("step", ["_copy", "note_archived", "unlink"])
def test_a_crash_while_moving_is_finished_by_the_next_pass(
    step: str, filled: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = load_policy({"spans": {"archive": "3d", "purge": "keep"}})

    def dies(*_: object, **__: object) -> None:
        raise SystemExit("killed")

    owner = {"_copy": archive, "note_archived": Catalog, "unlink": Path}[step]
    with monkeypatch.context() as patched:
        patched.setattr(owner, step, dies)
        with pytest.raises(SystemExit):
            archive.move(filled, archive.due(filled, "spans", NOW - timedelta(days=3)))
    assert len(rows(filled, keys, "spans")) == 12
    run_pass(filled, keys, policy, NOW)
    assert (on_disk(filled.lake_path), on_disk(filled.archive_path)) == (4, 8)
    assert len(rows(filled, keys, "spans")) == 12


def test_an_altered_file_is_not_archived_and_a_missing_archive_is_named(
    filled: Settings, keys: KeyStore
) -> None:
    file = archive.due(filled, "spans", NOW - timedelta(days=3))[0]
    path = filled.lake_path / file.path
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(KeyProblem, match="altered"):
        archive.move(filled, [file])
    assert path.exists() and not (filled.archive_path / file.path).exists()
    path.write_bytes(whole)
    archive.move(filled, [file])
    shutil.move(filled.archive_path, filled.home / "unmounted")
    with pytest.raises(KeyProblem, match=r"archive.*missing"):
        rows(filled, keys, "spans")


def test_the_archive_may_lie_elsewhere(filled: Settings, keys: KeyStore, tmp_path: Path) -> None:
    elsewhere = load_settings(filled.home, retention={"archive_path": tmp_path / "cheap"})
    run_pass(elsewhere, keys, POLICY, NOW)
    assert on_disk(tmp_path / "cheap") == 7
    assert len(rows(elsewhere, keys, "spans")) == 11


def test_the_plan_shows_receipts_and_audit_entries_that_would_go(
    settings: Settings, keys: KeyStore
) -> None:
    run_pass(settings, keys, POLICY, NOW)
    with AuditLogOf(settings, keys) as log:
        log.append(actor="os:owner", action="access.sign_in")
        entries = log.head().seq
    later = NOW + timedelta(days=3_000)
    doomed = {d.rule: d for d in expiry.plan(settings, keys, POLICY, later)}
    assert doomed["audit"].rows == entries and doomed["audit"].bytes
    receipts = len(expiry.receipts(settings, keys))
    assert doomed.get("receipts", Doomed("receipts", NOW)).rows == receipts
    done = expiry.purge(settings, keys, POLICY, later)
    assert {r.rule for r in done} & {"audit", "receipts"} == set()
