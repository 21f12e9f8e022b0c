"""Hours of the lake: reopened by late data, compacted, awaiting a build."""

from datetime import datetime, timedelta

from ingestion.lake import compaction
from ingestion.lake import drain as lake
from ingestion.lake.catalog import Catalog
from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.settings import Settings
from privacy.keys.key_store import KeyStore
from tests.ingestion.lake.test_lake import UNKNOWN_FIELD, rows, send
from tests.ingestion.receivers.test_receivers import NOW_NS


def test_late_data_reopens_its_own_hour_only(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    send(pipeline, number=1)
    send(pipeline, number=2, at_ns=NOW_NS - 7_200_000_000_000)
    lake.drain(settings, keys)
    catalog = Catalog(settings.lake_path)
    catalog.clean(catalog.dirty_hours())
    send(pipeline, number=3, at_ns=NOW_NS - 7_200_000_000_000)
    lake.drain(settings, keys)
    (dirty,) = [d for d in catalog.dirty_hours() if d.signal == "spans"]
    expected = datetime.utcfromtimestamp(NOW_NS / 1e9 - 7_200).replace(
        minute=0, second=0, microsecond=0
    )
    assert dirty.hour_at == expected


def test_an_hour_that_changes_during_a_build_stays_dirty(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    send(pipeline, number=1)
    lake.drain(settings, keys)
    catalog = Catalog(settings.lake_path)
    covered = catalog.dirty_hours()
    send(pipeline, number=2)
    lake.drain(settings, keys)
    catalog.clean(covered)
    assert [d.signal for d in catalog.dirty_hours()] == ["gate_decisions", "ledger", "spans"]


def test_compaction_keeps_the_rows_and_leaves_one_file(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    for number in range(6):
        send(pipeline, number=number)
        lake.drain(settings, keys)
    catalog = Catalog(settings.lake_path)
    assert len(catalog.files("spans")) == 6
    catalog.clean(catalog.dirty_hours())
    later = datetime.utcfromtimestamp(NOW_NS / 1e9) + timedelta(days=900)
    assert compaction.compact(settings, keys, now=later) == 3
    assert len(catalog.files("spans")) == 1
    assert len(rows(settings, keys, "spans")) == 6
    assert len(list((settings.lake_path / "spans").rglob("*.parquet"))) == 1


def test_repeats_are_recognised_in_hours_that_were_compacted(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    catalog = Catalog(settings.lake_path)
    for number in range(6):
        send(pipeline, number=number)
        lake.drain(settings, keys)
    catalog.clean(catalog.dirty_hours())
    later = datetime.utcfromtimestamp(NOW_NS / 1e9) + timedelta(days=900)
    compaction.compact(settings, keys, now=later)
    assert not any(f.has_identities for f in catalog.files("spans"))
    send(pipeline, number=3, again=UNKNOWN_FIELD)
    send(pipeline, number=7)
    report = lake.drain(settings, keys)
    assert report.duplicates["spans"] == 1
    assert len(rows(settings, keys, "spans")) == 7


def test_only_what_came_after_a_build_awaits_the_next(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    catalog = Catalog(settings.lake_path)
    send(pipeline, number=1)
    lake.drain(settings, keys)
    catalog.clean(catalog.dirty_hours())
    send(pipeline, number=2)
    lake.drain(settings, keys)
    (spans,) = [d for d in catalog.dirty_hours() if d.signal == "spans"]
    new = [f for f in catalog.files("spans", [spans.hour_at]) if f.plan >= spans.since]
    assert [f.row_count for f in new] == [1]
    assert len(catalog.files("spans")) == 2


def test_an_hour_from_which_rows_went_awaits_a_whole_build(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    catalog = Catalog(settings.lake_path)
    send(pipeline, number=1)
    lake.drain(settings, keys)
    (file,) = catalog.files("spans")
    catalog.amend(file, [])
    send(pipeline, number=2)
    lake.drain(settings, keys)
    assert {d.since for d in catalog.dirty_hours() if d.signal == "spans"} == {0}
