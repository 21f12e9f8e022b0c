"""The leak scan sees what is planted, finds nothing in a good home, and leaves nothing behind."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from dagster_project.leaks import home_scan as leak_scan
from dagster_project.leaks.home_scan import scan_home
from ingestion.meaning.errors.group_store import ErrorStore
from ingestion.settings import Settings, load_settings
from privacy.access.access_policy import Role
from privacy.access.identities import Identities
from privacy.audit.audit_log import AuditLog
from privacy.disk.sqlite_databases import transaction
from privacy.keys.key_store import KeyStore
from privacy.leaks.samples import SAMPLES


def test_a_built_home_of_the_real_capture_is_clean_and_the_scan_is_not_blind(
    built: Settings,
) -> None:
    report = scan_home(built, KeyStore.open(built.home))
    assert report.blind == ()
    assert report.unread == ()
    assert report.findings == ()
    assert report.exit_code == 0
    assert report.texts > 1_000
    assert report.bytes > 1_000_000
    assert list(built.home.glob("leak-scan-*")) == []


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_leak_in_a_log_is_reported_by_kind_and_never_by_its_text(
    settings: Settings, keys: KeyStore, kind: str
) -> None:
    if kind == "uuid":
        pytest.skip("run ids in logs are our own; senders' facts are covered by the control")
    (settings.home / "run").mkdir()
    (settings.home / "run" / "receiver.log").write_text(f"x {SAMPLES[kind]} y")
    report = scan_home(settings, keys, artefacts=())
    assert kind in {f.kind for f in report.findings if f.place == "run/receiver.log"}
    assert report.exit_code == 1
    assert SAMPLES[kind] not in str(report)


def test_listed_texts_are_found_in_any_case(settings: Settings, keys: KeyStore) -> None:
    (settings.home / "note.bin").write_bytes("\0QUIET.heron né".encode("utf-16-le"))
    report = scan_home(settings, keys, artefacts=(), listed=["quiet.heron"])
    assert {(f.place, f.kind) for f in report.findings} == {("note.bin", "listed_text")}
    with pytest.raises(ValueError, match="fewer than"):
        scan_home(settings, keys, artefacts=(), listed=["abc"])


def test_a_scan_that_cannot_see_says_so(
    settings: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leak_scan, "state_texts", lambda *_: iter(()))
    report = scan_home(settings, keys, artefacts=())
    assert any(medium.startswith("state canaries") for medium in report.blind)
    assert report.exit_code == 2


def test_what_a_killed_scan_left_is_removed(settings: Settings, keys: KeyStore) -> None:
    left: Path = settings.home / "leak-scan-dead"
    left.mkdir()
    (left / "x.log").write_text(SAMPLES["email"])
    assert scan_home(settings, keys, artefacts=()).findings == ()
    assert not left.exists()


def test_a_home_without_anything_is_clean(tmp_path: Path) -> None:
    keys = KeyStore.open(tmp_path, create=True)
    report = scan_home(load_settings(tmp_path), keys, artefacts=())
    assert (report.findings, report.blind, report.unread) == ((), (), ())
    shutil.rmtree(tmp_path)


def test_the_audit_log_is_read_like_everything_else(settings: Settings, keys: KeyStore) -> None:
    log = AuditLog(settings.home, keys)
    log.append(actor="user:u_1", action="access.sign_in", target="app", minutes=30)
    assert scan_home(settings, keys, artefacts=()).exit_code == 0
    leak = {"actor": "user:u_1", "action": "a.b", "target": SAMPLES["email"], "outcome": "done"}
    with log._lock, transaction(log._db):
        log._insert({**leak, "details": {}})
    report = scan_home(settings, keys, artefacts=())
    assert {(f.place, f.kind) for f in report.findings} == {("state audit_entries", "email")}
    keys.destroy("audit", date.today().replace(day=1))
    assert scan_home(settings, KeyStore.open(settings.home), artefacts=()).exit_code == 2


def test_a_session_beside_its_times_is_no_phone_number(settings: Settings, keys: KeyStore) -> None:
    Identities(settings.home, keys, AuditLog(settings.home, keys)).sessions.begin(
        "user:u_1", Role.OPERATOR, hours=1, how="test"
    )
    assert scan_home(settings, keys, artefacts=()).exit_code == 0
    (settings.home / "note.txt").write_text("call 0020 2 2574 1290 at 10:00:00+00:002026-11-25")
    (found,) = scan_home(settings, keys, artefacts=()).findings
    assert (found.place, found.kind, found.count) == ("note.txt", "phone", 1)


def test_decisions_about_errors_are_read_and_a_name_in_a_note_is_found(
    settings: Settings, keys: KeyStore
) -> None:
    store = ErrorStore(settings.home, keys)
    store._add_rule("merge", "a" * 16, "b" * 16, "os:owner")
    assert scan_home(settings, keys, artefacts=()).unread == ()
    store._add_rule("merge", "c" * 16, "b" * 16, f"mail {SAMPLES['email']}")
    looked = scan_home(settings, keys, artefacts=())
    assert looked.unread == ()
    assert ("state error_rules", "email") in {(f.place, f.kind) for f in looked.findings}
