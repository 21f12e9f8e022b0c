"""The leak scan of landed files: finds what is planted anywhere, looks at each file once."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from dagster_project.leaks import landed as landed_leaks
from dagster_project.leaks import masking as landed_masking
from dagster_project.leaks.home_scan import scan_home
from dagster_project.leaks.landed import scan_landed
from ingestion.contracts import LANDED
from ingestion.lake.catalog import Catalog
from ingestion.lake.compaction import compact
from ingestion.lake.drain import drain
from ingestion.meaning.errors.states import GroupRecord
from ingestion.meaning.errors.store import ErrorStore
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings
from ingestion.spool import Spool
from privacy.audit.log import AuditLog
from privacy.gate.treatments import DROPPED
from privacy.keys.store import KeyStore
from privacy.leaks.samples import SAMPLES
from privacy.retention import receipts
from tests.ingestion.lake.test_lake import rows
from tests.ingestion.receivers.test_receivers import landed, span_request
from tta_monitor.cli import app
from tta_monitor.console.context import Chosen

MAIL = SAMPLES["email"]


def _row(settings: Settings, keys: KeyStore, pipeline: Pipeline) -> dict:
    """A good span as it lies in the spool."""
    pipeline.process([Incoming("spans", span_request().SerializeToString())])
    spool = Spool(settings.spool_path, keys)
    (row,) = landed(spool, "spans")
    drain(settings, keys)
    spool.close()
    return row


def _plant(settings: Settings, keys: KeyStore, row: dict, number: int, **changes: object) -> None:
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
    row = _row(settings, keys, pipeline)
    assert scan_landed(settings, keys, "spans").is_clean
    _plant(settings, keys, row, 2, **changes)
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
    row = _row(settings, keys, pipeline)
    for number in range(2, 8):
        _plant(settings, keys, row, number)
    first = scan_landed(settings, keys, "spans")
    assert (first.files, first.rows, first.is_clean) == (7, 7, True)
    assert scan_landed(settings, keys, "spans").files == 0
    _built(settings)
    assert compact(settings, keys, now=datetime(2100, 1, 1, tzinfo=UTC)) == 1
    assert scan_landed(settings, keys, "spans").files == 0
    _plant(settings, keys, row, 9)
    assert scan_landed(settings, keys, "spans").files == 1


def test_compaction_of_a_file_that_nobody_looked_at_hides_nothing(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    row = _row(settings, keys, pipeline)
    assert scan_landed(settings, keys, "spans").is_clean
    for number in range(2, 7):
        _plant(settings, keys, row, number, name=MAIL)
    _built(settings)
    assert compact(settings, keys, now=datetime(2100, 1, 1, tzinfo=UTC)) == 1
    assert scan_landed(settings, keys, "spans").found == {"email": 1}


def test_the_cost_follows_distinct_texts_not_rows(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    row = _row(settings, keys, pipeline)
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
    _row(settings, keys, pipeline)
    monkeypatch.setattr(landed_leaks, "SAMPLES", {**SAMPLES, "email": "nothing here"})
    looked = scan_landed(settings, keys, "spans")
    assert looked.unseen == ("email",) and not looked.is_clean
    monkeypatch.undo()
    assert scan_landed(settings, keys, "spans").files == 1


def test_an_altered_file_is_looked_at_again_and_one_that_is_gone_is_forgotten(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    _row(settings, keys, pipeline)
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
    row = _row(settings, keys, pipeline)
    _plant(settings, keys, row, 2, name=MAIL)
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


PLANTED = {
    "column": {"name": f"call {MAIL} back"},
    "message": {"status_message": f"no such user {MAIL}"},
    "attribute": {"attributes": [("http.route", f"/users/{MAIL}"), ("http.method", "GET")]},
    "name of an attribute": {"attributes": [(MAIL, "1"), ("http.method", "GET")]},
    "resource": {"resource_attributes": json.dumps({"service.name": "x", "host.owner": MAIL})},
    "name of a resource's": {"resource_attributes": json.dumps({"service.name": "x", MAIL: "1"})},
    "event": {"events": [{"event_at": datetime(2026, 3, 1), "name": "e", "attributes": [("a", MAIL)]}]},
    "link": {"links": [{"trace_id": b"t" * 16, "span_id": b"s" * 8, "attributes": [("a", MAIL)]}]},
    "card": {"status_message": f"paid with {SAMPLES['card']}"},
}  # fmt: skip


@pytest.mark.parametrize("place", PLANTED)
def test_a_landed_leak_is_masked_where_it_stands_and_the_batch_can_go_on(
    place: str,
    settings: Settings,
    keys: KeyStore,
    pipeline: Pipeline,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Chosen, "home", settings.home)
    row = _row(settings, keys, pipeline)
    _plant(settings, keys, row, 2, **PLANTED[place])
    before = rows(settings, keys, "spans")
    said = CliRunner().invoke(
        app, ["privacy", "landed", "--mask", "--reason", f"{MAIL} wrote to us"]
    )
    assert said.exit_code == 0, said.output
    assert "still found: 0" in said.output and MAIL not in said.output
    after = rows(settings, keys, "spans")
    assert len(after) == len(before) == 2
    leak = SAMPLES["card"] if place == "card" else MAIL
    assert leak in str(before) and leak not in str(after)
    # The other row is as it was, and so is everything of the row but the leak.
    assert set(map(str, before)) & set(map(str, after))
    assert scan_landed(settings, keys, "spans").files == 0
    report = scan_home(settings, keys, artefacts=())
    assert report.findings == () and report.unread == ()
    log = AuditLog(settings.home, keys)
    (entry,) = log.entries(action="privacy.mask")
    assert (entry.actor, entry.outcome, entry.details["proof"]) == ("os:owner", "done", 0)
    assert entry.details["rows"] == 2  # in the lake and in the spool, which the live window reads
    (why,) = log.entries(action="privacy.mask_landed")
    assert MAIL not in str(why.details)
    (receipt,) = receipts.read(settings.home, keys)
    assert (receipt.rule, receipt.partitions, receipt.proof_rows) == (receipts.MASK, 2, 0)
    assert Spool(settings.spool_path, keys).erasures() == 1


def test_masking_keeps_what_is_no_leak_and_needs_a_reason_and_eyes(
    settings: Settings, keys: KeyStore, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Chosen, "home", settings.home)
    row = _row(settings, keys, pipeline)
    _plant(settings, keys, row, 2, attributes=[("http.route", MAIL), ("http.method", "GET")])
    run = CliRunner()
    assert "needs --reason" in str(run.invoke(app, ["privacy", "landed", "--mask"]).exception)
    both = ["privacy", "landed", "--mask", "--accept", "--reason", "x"]
    assert "choose" in str(run.invoke(app, both).exception)
    with monkeypatch.context() as patched:
        patched.setattr(landed_masking, "SAMPLES", {**SAMPLES, "email": "nothing here"})
        blind = run.invoke(app, ["privacy", "landed", "--mask", "--reason", "x"])
        assert "blind for email" in str(blind.exception)
    assert run.invoke(app, ["privacy", "landed", "--mask", "--reason", "x"]).exit_code == 0
    assert "'http.method': 'GET'" in str(rows(settings, keys, "spans"))
    again = run.invoke(app, ["privacy", "landed", "--mask", "--reason", "x"])
    assert again.exit_code == 0 and "0 findings" in again.output


def test_masking_that_was_stopped_is_finished_by_the_next(
    settings: Settings, keys: KeyStore, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = _row(settings, keys, pipeline)
    _plant(settings, keys, row, 2, name=MAIL)
    _plant(settings, keys, row, 3, status_message=MAIL)

    def dies(*_: object) -> None:
        raise SystemExit("killed")

    with monkeypatch.context() as patched:
        patched.setattr(Catalog, "amend", dies)
        with pytest.raises(SystemExit):
            landed_masking.mask_landed(settings, keys, datetime(2026, 3, 1))
    done, receipt = landed_masking.mask_landed(settings, keys, datetime(2026, 3, 2))
    assert (done.files, done.batches, done.proof, receipt.proof_files) == (2, 2, 0, 0)
    assert len(rows(settings, keys, "spans")) == 3


def test_what_the_treatment_does_not_take_is_dropped(
    settings: Settings, keys: KeyStore, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = _row(settings, keys, pipeline)
    _plant(settings, keys, row, 2, status_message=MAIL)
    monkeypatch.setattr(landed_masking, "scrub", lambda text: text)
    done, _ = landed_masking.mask_landed(settings, keys, datetime(2026, 3, 1))
    assert done.proof == 0
    assert DROPPED in str(rows(settings, keys, "spans"))


def test_the_error_group_made_of_a_leak_is_masked_as_well(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    row = _row(settings, keys, pipeline)
    _plant(settings, keys, row, 2, status_message=f"no such user {MAIL}")
    at = datetime(2026, 3, 1)
    store = ErrorStore(settings.home, keys)
    told = GroupRecord(
        key="0" * 32, title=f"KeyError: {MAIL}", type="KeyError", culprit="app.py", rule="type",
        explanation="type", component="player-api", first_seen_at=at, last_seen_at=at,
        sample_stack=f'Traceback\n  File "app.py", line 3, in find\nKeyError: {MAIL}',
        breadcrumbs=(f"asked for {MAIL}",),
    )  # fmt: skip
    good = replace(told, key="1" * 32, title="KeyError", sample_stack="", breadcrumbs=())
    store._write(told)
    store._write(good)
    done, receipt = landed_masking.mask_landed(settings, keys, at)
    assert (done.error_groups, done.proof, receipt.partitions) == (1, 0, 3)
    assert MAIL not in str(store.groups())
    assert store.group("1" * 32) == good
    assert "KeyError" in store.group("0" * 32).title
    assert scan_home(settings, keys, artefacts=()).findings == ()
