"""The leak scan of landed files: finds what is planted anywhere, looks at each file once."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from dagster_project.leaks import landed_scan as landed_leaks
from dagster_project.leaks.landed_scan import scan_landed
from ingestion.contracts import LANDED
from ingestion.lake.catalog import Catalog
from ingestion.lake.compaction import compact
from ingestion.lake.drain import drain
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings
from ingestion.spool import Spool
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from privacy.leaks.samples import SAMPLES
from tests.ingestion.receivers.test_receivers import landed, span_request
from tta_monitor.cli import app
from tta_monitor.console.context import Chosen

MAIL = SAMPLES["email"]


def one_row(settings: Settings, keys: KeyStore, pipeline: Pipeline) -> dict:
    """A good span as it lies in the spool."""
    pipeline.process([Incoming("spans", span_request().SerializeToString())])
    spool = Spool(settings.spool_path, keys)
    (row,) = landed(spool, "spans")
    drain(settings, keys)
    spool.close()
    return row


def plant(settings: Settings, keys: KeyStore, row: dict, number: int, **changes: object) -> None:
    """Land a row that no gate has seen."""
    changed = {**row, "span_id": number.to_bytes(8, "big"), **changes}
    spool = Spool(settings.spool_path, keys)
    spool.append([("spans", pa.Table.from_pylist([changed], schema=LANDED["spans"]))])
    spool.close()
    drain(settings, keys)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": MAIL},
        {"status_message": f"no such user {MAIL}"},
        {"attributes": [("http.route", MAIL)]},
        {"attributes": [(MAIL, "1")]},
        {"resource_attributes": json.dumps({"service.name": "x", "host.owner": MAIL})},
        {"events": [{"event_at": datetime.now(UTC).replace(tzinfo=None), "name": "e", "attributes": [("a", MAIL)]}]},
        {"links": [{"trace_id": b"t" * 16, "span_id": b"s" * 8, "attributes": [("a", MAIL)]}]},
    ],
    ids=["column", "message", "attribute", "name of an attribute", "resource", "event", "link"],
)  # fmt: skip
def test_a_planted_leak_is_found_wherever_it_stands_until_somebody_acts(
    settings: Settings, keys: KeyStore, pipeline: Pipeline, changes: dict
) -> None:
    row = one_row(settings, keys, pipeline)
    assert scan_landed(settings, keys, "spans").is_clean
    plant(settings, keys, row, 2, **changes)
    for _ in range(2):
        found = scan_landed(settings, keys, "spans")
        assert found.found == {"email": 1}
        assert not found.is_clean and found.files == 1


def _built(settings: Settings) -> None:
    """As if a build had covered everything: what awaits one is not compacted."""
    catalog = Catalog(settings.lake_path)
    catalog.clean(catalog.dirty_hours())
    catalog.close()


def test_files_are_looked_at_once_and_compaction_opens_none_again(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    row = one_row(settings, keys, pipeline)
    for number in range(2, 8):
        plant(settings, keys, row, number)
    first = scan_landed(settings, keys, "spans")
    assert (first.files, first.rows, first.is_clean) == (7, 7, True)
    assert scan_landed(settings, keys, "spans").files == 0
    _built(settings)
    assert compact(settings, keys, now=datetime(2100, 1, 1, tzinfo=UTC)) == 1
    assert scan_landed(settings, keys, "spans").files == 0
    plant(settings, keys, row, 9)
    assert scan_landed(settings, keys, "spans").files == 1


def test_compaction_of_a_file_that_nobody_looked_at_hides_nothing(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    row = one_row(settings, keys, pipeline)
    assert scan_landed(settings, keys, "spans").is_clean
    for number in range(2, 7):
        plant(settings, keys, row, number, name=MAIL)
    _built(settings)
    assert compact(settings, keys, now=datetime(2100, 1, 1, tzinfo=UTC)) == 1
    assert scan_landed(settings, keys, "spans").found == {"email": 1}


def test_the_cost_follows_distinct_texts_not_rows(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    row = one_row(settings, keys, pipeline)
    rows = [{**row, "span_id": n.to_bytes(8, "big")} for n in range(2, 5_000)]
    spool = Spool(settings.spool_path, keys)
    spool.append([("spans", pa.Table.from_pylist(rows, schema=LANDED["spans"]))])
    spool.close()
    alone = scan_landed(settings, keys, "spans").texts
    drain(settings, keys)
    many = scan_landed(settings, keys, "spans")
    assert many.rows == 4_998
    assert many.texts == alone


def test_a_detector_that_does_not_see_vouches_for_nothing(
    settings: Settings, keys: KeyStore, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_row(settings, keys, pipeline)
    monkeypatch.setattr(landed_leaks, "SAMPLES", {**SAMPLES, "email": "nothing here"})
    looked = scan_landed(settings, keys, "spans")
    assert looked.unseen == ("email",) and not looked.is_clean
    monkeypatch.undo()
    assert scan_landed(settings, keys, "spans").files == 1


def test_an_altered_file_is_looked_at_again_and_one_that_is_gone_is_forgotten(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    one_row(settings, keys, pipeline)
    catalog = Catalog(settings.lake_path)
    (file,) = catalog.files("spans")
    catalog.note_scanned([file])
    assert catalog.unscanned("spans") == []
    altered = replace(file, digest="altered")
    catalog.amend(file, [altered])
    assert [f.digest for f in catalog.unscanned("spans")] == ["altered"]
    catalog.note_scanned([altered])
    catalog.forget([altered])
    catalog.note_scanned([])
    catalog.amend(altered, [altered])
    assert [f.digest for f in catalog.unscanned("spans")] == ["altered"]
    catalog.close()


def test_an_officer_accepts_a_finding_with_a_reason_that_the_log_keeps(
    settings: Settings, keys: KeyStore, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Chosen, "home", settings.home)
    row = one_row(settings, keys, pipeline)
    plant(settings, keys, row, 2, name=MAIL)
    run = CliRunner()
    found = run.invoke(app, ["privacy", "landed"])
    assert found.exit_code == 1 and "email" in found.output and MAIL not in found.output
    no_reason = run.invoke(app, ["privacy", "landed", "--accept"])
    assert "needs --reason" in str(no_reason.exception)
    assert not scan_landed(settings, keys, "spans").is_clean
    done = run.invoke(app, ["privacy", "landed", "--accept", "--reason", f"it is {MAIL}"])
    assert done.exit_code == 0, done.output
    assert scan_landed(settings, keys, "spans").files == 0
    (entry,) = AuditLog(settings.home, keys).entries(action="privacy.accept_landed")
    assert (entry.actor, entry.target, entry.details["findings"]) == ("os:owner", "spans", 1)
    assert MAIL not in str(entry.details)
    assert run.invoke(app, ["privacy", "landed"]).exit_code == 0
