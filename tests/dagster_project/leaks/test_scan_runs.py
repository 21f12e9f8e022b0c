"""Scans are remembered: running, clean, found, failed; one at a time; results never quote a text."""

import time
from datetime import UTC, datetime

import pytest

from dagster_project.leaks import runs as scan_runs
from dagster_project.leaks.runs import ScanIsRunning
from ingestion.settings import Settings
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from privacy.leaks.samples import SAMPLES


def test_a_scan_keeps_its_result_its_steps_and_an_entry(settings: Settings, keys: KeyStore) -> None:
    (settings.home / "note.txt").write_text(f"x {SAMPLES['email']} y")
    report = scan_runs.run(settings, keys, by="user:u_1", artefacts=())
    (scan,) = scan_runs.runs(settings, keys)
    assert (scan.state, scan.by, scan.report) == ("found", "user:u_1", report)
    assert scan.ended_at and scan.ended_at >= scan.started_at
    assert SAMPLES["email"] not in str(scan)
    (entry,) = AuditLog(settings.home, keys).entries(action="privacy.scan")
    assert entry.details["exit_code"] == 1
    assert entry.details["findings"] == sum(f.count for f in report.findings)
    (settings.home / "note.txt").unlink()
    scan_runs.run(settings, keys, by="user:u_1", artefacts=())
    assert [s.state for s in scan_runs.runs(settings, keys)] == ["clean", "found"]


def test_progress_is_seen_while_it_runs_and_a_second_scan_waits_its_turn(
    settings: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def look(*_: object, progress, **__: object):
        progress("reading the lake")
        seen.extend(scan_runs.runs(settings, keys))
        with pytest.raises(ScanIsRunning):
            scan_runs.start(settings, "user:u_2")
        raise OSError("quoted text")

    monkeypatch.setattr(scan_runs, "scan_home", look)
    with pytest.raises(OSError, match="quoted"):
        scan_runs.run(settings, keys, by="user:u_1")
    assert [(s.state, s.step) for s in seen] == [("running", "reading the lake")]
    (scan,) = scan_runs.runs(settings, keys)
    assert (scan.state, scan.cause) == ("failed", "OSError")
    (entry,) = AuditLog(settings.home, keys).entries(action="privacy.scan")
    assert entry.outcome == "failed" and "quoted" not in str(entry)
    assert not scan_runs.is_running(settings)


def test_a_scan_whose_process_died_is_not_running(settings: Settings, keys: KeyStore) -> None:
    book = scan_runs._Book(settings, keys)
    book.write(scan_runs.ScanRun("a", datetime.now(UTC), "user:u_1", "reading the lake"))
    (scan,) = scan_runs.runs(settings, keys)
    assert (scan.state, scan.cause) == ("failed", "Stopped")


def test_a_scan_started_from_a_page_runs_in_a_process_of_its_own(
    settings: Settings, keys: KeyStore
) -> None:
    scan_runs.start(settings, "user:u_1")
    end_s = time.monotonic() + 120
    while not any(s.ended_at for s in scan_runs.runs(settings, keys)):
        assert time.monotonic() < end_s
        time.sleep(0.5)
    (scan,) = scan_runs.runs(settings, keys)
    assert scan.report is not None and scan.report.planted > 0
    assert scan.report.blind == () and scan.by == "user:u_1"


def test_only_the_newest_scans_are_kept(
    settings: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_runs, "_KEPT", 2)
    book = scan_runs._Book(settings, keys)
    for second in range(3):
        at = datetime(2026, 11, 25, 0, 0, second, tzinfo=UTC)
        book.write(scan_runs.ScanRun(str(second), at, "a", ended_at=at, cause="X"))
    assert [s.id for s in scan_runs.runs(settings, keys)] == ["2", "1"]
