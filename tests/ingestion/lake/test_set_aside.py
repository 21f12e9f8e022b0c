"""Old poison is harmless: a drain mends what it can, sets aside what it cannot, and goes on."""

from collections import Counter
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest

from ingestion.contracts import LOGS, SPANS
from ingestion.lake import drain as lake
from ingestion.lake import plan_run, set_aside
from ingestion.lake.catalog import Catalog
from ingestion.lake.mending import mended
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.receivers.decoding.count_tables import ledger_table
from ingestion.settings import Settings
from ingestion.spool import Spool
from privacy.gate import gate_columns as gate
from privacy.gate.repeated_keys import Once
from privacy.keys.key_store import KeyStore
from tests.ingestion.lake.test_lake import rows, send
from tests.ingestion.lake.test_poison import DOUBLED

ACCEPTED = {("broken-sender", "logs", "accepted"): 1}
_NONE = np.empty(0, dtype=np.int64)


def send_poison(pipeline: Pipeline, *signals: str) -> None:
    """What a receiver committed that did not look for keys that come twice."""
    with patch.object(gate, "once", lambda e, c, o, _: Once(e, c, o, _NONE, _NONE)):
        for signal in signals or DOUBLED:
            pipeline.process([Incoming(signal, DOUBLED[signal]().SerializeToString())])


def send_hopeless(spool: Spool, component: str = "broken-sender") -> None:
    """A batch of which this version can make nothing: it lacks a column."""
    row = {field.name: None for field in LOGS} | {
        "event_at": 1_790_000_000_000_000, "received_at": 1_790_000_000_000_000,
        "severity_number": 9, "component": component, "resource_attributes": "{}",
        "attributes": [],
    }  # fmt: skip
    table = pa.Table.from_pylist([row], schema=LOGS)
    accepted = ledger_table(
        Counter({(component, "logs", "accepted", ""): 1}), 1_790_000_000_000_000
    )
    spool.append([("logs", table.drop_columns(["body"])), ("ledger", accepted)])


def ledger(settings: Settings, keys: KeyStore) -> dict[tuple[str, str, str], int]:
    found: dict[tuple[str, str, str], int] = {}
    for component, signal, _, outcome, _, items, *_ in rows(settings, keys, "ledger"):
        found[component, signal, outcome] = found.get((component, signal, outcome), 0) + items
    return {key: items for key, items in found.items() if items}


def test_what_an_older_receiver_let_in_is_landed_with_its_last_values(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    send_poison(pipeline)
    send(pipeline, number=7)
    report = lake.drain(settings, keys)
    assert report.landed["spans"] == 3
    assert (report.landed["logs"], report.landed["metric_points"]) == (1, 5)
    assert report.set_aside_batches == 0
    attributes = SPANS.get_field_index("attributes")
    assert {r[attributes].get("http.route") for r in rows(settings, keys, "spans")} == {
        "/a",
        "/b",
        None,
    }


def test_what_nothing_can_be_made_of_is_set_aside_counted_and_holds_up_nobody(
    settings: Settings, keys: KeyStore, pipeline: Pipeline, spool: Spool
) -> None:
    send(pipeline, number=1)
    send_hopeless(spool)
    send(pipeline, number=2)
    report = lake.drain(settings, keys)
    assert report.landed["spans"] == len(rows(settings, keys, "spans")) == 2
    assert (report.set_aside_batches, report.set_aside_rows) == (1, 1)
    assert ledger(settings, keys)["broken-sender", "logs", "set_aside"] == 1
    send(pipeline, number=3)
    assert lake.drain(settings, keys).landed["spans"] == 1


def test_a_batch_whose_bytes_were_altered_is_set_aside(
    settings: Settings, keys: KeyStore, pipeline: Pipeline, spool: Spool
) -> None:
    send(pipeline, number=1)
    seq = next(iter(spool.read(0, signals=["spans"]))).seq
    spool._db.execute("UPDATE batches SET payload = zeroblob(200) WHERE seq = ?", (seq,))
    send(pipeline, number=2)
    report = lake.drain(settings, keys)
    assert (report.landed["spans"], report.set_aside_rows) == (1, 1)
    assert ledger(settings, keys)["unknown", "spans", "set_aside"] == 1


def test_a_set_aside_batch_stays_sealed_until_it_expires(
    settings: Settings, keys: KeyStore, spool: Spool
) -> None:
    send_hopeless(spool)
    lake.drain(settings, keys)
    spool._db.execute("UPDATE batches SET received_us = 1")
    lake.drain(settings, keys)
    assert spool.aside() == (1, 1)
    (batch,) = spool.read(0, signals=["logs"])
    assert b"broken-sender" not in batch.payload
    spool.delete_until(batch.day)
    assert spool.aside() == (0, 0)


def test_another_version_tries_again_and_the_ledger_stays_right(
    settings: Settings, keys: KeyStore, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_hopeless(spool)
    lake.drain(settings, keys)
    lake.drain(settings, keys)
    assert ledger(settings, keys) == {**ACCEPTED, ("broken-sender", "logs", "set_aside"): 1}
    monkeypatch.setattr(set_aside, "product_version", lambda: "99.0")
    lake.drain(settings, keys)
    assert ledger(settings, keys) == {**ACCEPTED, ("broken-sender", "logs", "set_aside"): 1}

    def understood(table: pa.Table) -> pa.Table:
        body = pa.array(["now it is there"], pa.string())
        return table.add_column(LOGS.get_field_index("body"), LOGS.field("body"), body)

    monkeypatch.setattr(set_aside, "product_version", lambda: "100.0")
    monkeypatch.setattr(set_aside, "mended", understood)
    report = lake.drain(settings, keys)
    assert (report.landed["logs"], report.set_aside_batches) == (1, 0)
    assert ledger(settings, keys) == ACCEPTED


def test_a_drain_that_fails_for_want_of_room_sets_nothing_aside(
    settings: Settings, keys: KeyStore, pipeline: Pipeline, spool: Spool
) -> None:
    send(pipeline)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with patch.object(plan_run, "write_partition", full), pytest.raises(OSError, match="No space"):
        lake.drain(settings, keys)
    assert spool.aside() == (0, 0)
    assert lake.drain(settings, keys).landed["spans"] == 1


def test_nothing_is_left_on_disk_that_the_catalog_does_not_list(
    settings: Settings, keys: KeyStore, pipeline: Pipeline, spool: Spool
) -> None:
    send_hopeless(spool)
    send(pipeline)
    lake.drain(settings, keys)
    catalog = Catalog(settings.lake_path)
    listed = {
        f.path for s in ("spans", "logs", "ledger", "gate_decisions") for f in catalog.files(s)
    }
    lying = {
        str(path.relative_to(settings.lake_path))
        for path in Path(settings.lake_path).rglob("part-*")
    }
    assert lying == listed


def test_mending_changes_no_table_that_is_sound(spool: Spool, pipeline: Pipeline) -> None:
    for signal in DOUBLED:
        pipeline.process([Incoming(signal, DOUBLED[signal]().SerializeToString())])
    for batch in spool.read(0):
        assert mended(batch.table()).equals(batch.table())
