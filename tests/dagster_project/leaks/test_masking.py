"""A landed leak is masked where it stands, and nothing else is."""

import json
from dataclasses import replace
from datetime import datetime

import pytest
from typer.testing import CliRunner

from dagster_project.leaks import masking as landed_masking
from dagster_project.leaks.home_scan import scan_home
from dagster_project.leaks.landed_scan import scan_landed
from ingestion.lake.catalog import Catalog
from ingestion.meaning.errors.group_states import GroupRecord
from ingestion.meaning.errors.group_store import ErrorStore
from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.settings import Settings
from ingestion.spool import Spool
from privacy.audit.audit_log import AuditLog
from privacy.gate.treatments import DROPPED
from privacy.keys.key_store import KeyStore
from privacy.leaks.samples import SAMPLES
from privacy.retention import receipts
from tests.dagster_project.leaks.test_landed_leaks import MAIL, one_row, plant
from tests.ingestion.lake.test_lake import rows
from tta_monitor.cli import app
from tta_monitor.console.context import Chosen

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
    row = one_row(settings, keys, pipeline)
    plant(settings, keys, row, 2, **PLANTED[place])
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
    row = one_row(settings, keys, pipeline)
    plant(settings, keys, row, 2, attributes=[("http.route", MAIL), ("http.method", "GET")])
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
    row = one_row(settings, keys, pipeline)
    plant(settings, keys, row, 2, name=MAIL)
    plant(settings, keys, row, 3, status_message=MAIL)

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
    row = one_row(settings, keys, pipeline)
    plant(settings, keys, row, 2, status_message=MAIL)
    monkeypatch.setattr(landed_masking, "scrub", lambda text: text)
    done, _ = landed_masking.mask_landed(settings, keys, datetime(2026, 3, 1))
    assert done.proof == 0
    assert DROPPED in str(rows(settings, keys, "spans"))


def test_the_error_group_made_of_a_leak_is_masked_as_well(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    row = one_row(settings, keys, pipeline)
    plant(settings, keys, row, 2, status_message=f"no such user {MAIL}")
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
