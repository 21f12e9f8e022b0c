"""The detector at start: its canaries, its identity, and a gate that fails closed without it."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from typer.testing import CliRunner

from ingestion.contracts import LANDED
from ingestion.lake import drain as lake
from ingestion.lake.catalog import Catalog
from ingestion.lake.compaction import compact
from ingestion.receivers.committing import self_report
from ingestion.receivers.committing.committer import Committer
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings, SettingsProblem, load_settings
from ingestion.spool import Spool
from privacy.detection import canary, identity, redact
from privacy.detection.canary import canaries
from privacy.detection.vocabulary import lexicon
from privacy.gate.treatments import DROPPED, keep, path, scrub, span_name, stack, statement
from privacy.keys.key_store import KeyStore
from tests.ingestion.receivers.test_receivers import NOW_NS, door, landed, span_request
from tta_monitor.cli import app

SECRET = "Odalys Brennick"


@pytest.fixture
def anew() -> Iterator[None]:
    """The verdict is reached anew, and again after the test."""
    identity.set_floor(identity.DEFAULT_FLOOR)
    yield
    identity.set_floor(identity.DEFAULT_FLOOR)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, anew: None) -> None:
    """A stack whose e-mail recogniser finds nothing any more."""
    find = redact.find
    monkeypatch.setattr(
        canary, "find", lambda text, kind: [f for f in find(text, kind) if f.type != "email"]
    )


def test_the_shipped_detector_finds_every_canary() -> None:
    detector = identity.current()
    assert detector.is_ok
    assert detector.canary_recall == 1.0
    assert {c.kind for c in canaries()} == {"chat", "log"}
    assert min(planted for _, planted in detector.by_type.values()) >= 2


def test_the_id_holds_name_version_hash_and_recall() -> None:
    detector = identity.current()
    short = detector.content_hash[:12].translate(str.maketrans("0123456789", "ghijklmnop"))
    assert detector.detector_id == f"tta-gate/{detector.version}+{short};canary=1.0000"


def test_the_hash_follows_what_decides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = identity.content_hash()
    assert before == identity.content_hash()
    monkeypatch.setattr(identity, "_SUFFIXES", {".py"})
    assert identity.content_hash() != before


def test_one_broken_recogniser_is_enough_although_most_canaries_are_found(broken: None) -> None:
    detector = identity.current()
    assert detector.canary_recall > 0.8
    assert detector.weakest_recall < 0.5
    assert not detector.is_ok


def test_a_stack_that_raises_has_found_nothing(monkeypatch: pytest.MonkeyPatch, anew: None) -> None:
    def raising(_: str) -> frozenset[str]:
        raise EOFError

    lexicon.is_word.cache_clear()
    monkeypatch.setattr(lexicon, "word_list", raising)
    assert not identity.is_trusted()
    lexicon.is_word.cache_clear()
    lexicon.is_operations_word.cache_clear()


def test_the_floor_decides(monkeypatch: pytest.MonkeyPatch, anew: None) -> None:
    monkeypatch.setattr(canary, "find", lambda text, kind: [])
    identity.set_floor(0.5)
    assert not identity.is_trusted()
    monkeypatch.undo()
    identity.set_floor(0.5)
    assert identity.is_trusted()


@pytest.mark.parametrize("treat", [scrub, path, span_name, statement])
def test_without_a_trusted_detector_text_is_dropped(treat, broken: None) -> None:
    assert treat(f"note of {SECRET}") == DROPPED


def test_without_a_trusted_detector_typed_values_and_frames_stay(broken: None) -> None:
    assert keep("200") == "200"
    assert keep("http.server.duration") == "http.server.duration"
    assert keep(SECRET) == DROPPED
    kept = stack(
        'Traceback (most recent call last):\n  File "/app/src/x.py", line 3, in load\n'
        f"ValueError: {SECRET}"
    )
    assert "line 3, in load" in kept
    assert SECRET not in kept


def test_a_receiver_with_a_failing_detector_goes_on_and_drops_text(
    pipeline: Pipeline, spool: Spool, settings: Settings, broken: None
) -> None:
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    records.add(time_unix_nano=NOW_NS, severity_number=9).body.string_value = f"hi {SECRET}"
    pipeline.process([Incoming("logs", request.SerializeToString())])
    (row,) = landed(spool, "logs")
    assert (row["body"], row["severity_number"]) == (DROPPED, 9)
    with door(pipeline) as client:
        shown = client.get("/metrics").text
    assert "tta_monitor_gate_detector_ok 0.0" in shown
    assert "tta_monitor_gate_detector_canary_recall{" in shown
    for file in settings.home.glob("spool.db*"):
        assert SECRET.encode() not in file.read_bytes()


def test_a_whole_detector_shows_so(pipeline: Pipeline) -> None:
    with door(pipeline) as client:
        shown = client.get("/metrics").text
    assert "tta_monitor_gate_detector_ok 1.0" in shown
    assert identity.current().detector_id in shown


def test_a_failing_detector_reports_itself_to_the_alert_rules(
    pipeline: Pipeline, spool: Spool, broken: None
) -> None:
    async def report_once() -> None:
        committer = Committer(pipeline, group_ms=1, max_pending_bytes=1 << 20)
        committer.start()
        task = asyncio.create_task(self_report.report_failed_detector(committer))
        while not landed(spool, "metric_points"):
            await asyncio.sleep(0.01)
        task.cancel()
        await committer.close()

    asyncio.run(report_once())
    points = {p["metric"]: p["value"] for p in landed(spool, "metric_points")}
    assert points[self_report.OK] == 0
    assert 0.5 < points[self_report.RECALL] < 1
    assert {p["component"] for p in landed(spool, "metric_points")} == {self_report.COMPONENT}


def test_a_whole_detector_reports_nothing(pipeline: Pipeline, spool: Spool) -> None:
    committer = Committer(pipeline, group_ms=1, max_pending_bytes=1 << 20)
    asyncio.run(self_report.report_failed_detector(committer))
    assert spool.last_seq() == 0


def test_every_landed_batch_names_its_detector_in_spool_and_lake(
    pipeline: Pipeline, spool: Spool, settings: Settings, keys: KeyStore
) -> None:
    pipeline.process([Incoming("spans", span_request().SerializeToString())])
    expected = identity.current().detector_id
    assert {b.detector_id for b in spool.read(0)} == {expected}
    lake.drain(settings, keys)
    (file,) = Catalog(settings.lake_path).files("spans")
    assert file.detectors == (expected,)


def test_a_compacted_hour_names_all_detectors_of_its_files(
    spool: Spool, settings: Settings, keys: KeyStore, pipeline: Pipeline, monkeypatch
) -> None:
    for number in range(1, 7):
        request = span_request(span=number.to_bytes(8, "big"), start_time_unix_nano=NOW_NS - number)
        pipeline.process([Incoming("spans", request.SerializeToString())])
        monkeypatch.setattr(identity, "VERSION", f"next{number}")
        identity.set_floor(identity.DEFAULT_FLOOR)
        lake.drain(settings, keys)
    catalog = Catalog(settings.lake_path)
    catalog.clean(catalog.dirty_hours())
    assert compact(settings, keys) >= 1
    (file,) = Catalog(settings.lake_path).files("spans")
    assert len(file.detectors) == 6


def test_a_home_of_before_gets_the_columns(settings: Settings, keys: KeyStore) -> None:
    Spool(settings.spool_path, keys).close()
    Catalog(settings.lake_path).close()
    for file, table, column in (
        (settings.spool_path, "batches", "detector_id"),
        (settings.lake_path / "catalog.db", "files", "detectors"),
    ):
        db = sqlite3.connect(file)
        db.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        db.execute("PRAGMA user_version = 0")
        db.close()
    Spool(settings.spool_path, keys).append([("spans", LANDED["spans"].empty_table())])
    assert Catalog(settings.lake_path).files("spans") == []


def test_redact_drops_whole_texts_and_says_why(home: Path, broken: None) -> None:
    result = CliRunner().invoke(
        app, ["privacy", "redact"], input=f'{{"text": "hi {SECRET}", "kind": "chat"}}\n'
    )
    assert result.exit_code == 1
    assert SECRET not in result.stdout
    assert '"dropped"' in result.stdout
    assert "install the package again" in result.stderr


def test_a_floor_that_is_no_share_is_refused(home: Path, monkeypatch) -> None:
    monkeypatch.setenv("TTA_MONITOR_GATE__CANARY_FLOOR", "98")
    with pytest.raises(SettingsProblem, match="canary_floor"):
        load_settings(home)


def test_a_stack_without_its_model_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch, anew: None
) -> None:
    monkeypatch.setattr(redact, "entity_findings", lambda text: [])
    assert not identity.is_trusted()
    assert identity.current().by_type["NAME_IN_CONTEXT"][0] == 0
