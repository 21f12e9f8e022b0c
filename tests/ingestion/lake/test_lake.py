"""The drain: exactly once, whatever crashes, in few bytes and few reads."""

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.contracts import SIGNALS
from ingestion.lake import drain as lake
from ingestion.lake import plan_run
from ingestion.lake.catalog import Catalog
from ingestion.lake.duck import add_file_keys, connect
from ingestion.lake.partitions import scan
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.receivers.decoding.protobuf import count_items
from ingestion.settings import Settings
from ingestion.spool import Spool
from privacy.keys.key_store import KeyProblem, KeyStore
from tests.ingestion.receivers.test_receivers import NOW_NS, span_request

UNKNOWN_FIELD = b"\xc0\x3e\x01"  # makes the digest differ, not the content


def rows(settings: Settings, keys: KeyStore, signal: str) -> list[tuple]:
    files = Catalog(settings.lake_path).files(signal)
    if not files:
        return []
    con = connect()
    add_file_keys(con, keys, files)
    return con.execute(f"SELECT * FROM ({scan(settings, files)})").fetchall()


def send(pipeline: Pipeline, *, number: int = 0, at_ns: int = NOW_NS, again: bytes = b"") -> None:
    request = span_request(
        span=number.to_bytes(7, "big") + b"s",
        start_time_unix_nano=at_ns,
        end_time_unix_nano=at_ns + 1_000,
    )
    pipeline.process([Incoming("spans", request.SerializeToString() + again)])


def test_what_was_acknowledged_is_in_the_lake_once(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    for number in range(5):
        send(pipeline, number=number)
    report = lake.drain(settings, keys)
    assert report.landed["spans"] == 5
    assert len(rows(settings, keys, "spans")) == 5
    assert lake.drain(settings, keys).plans == 0


def test_items_sent_again_in_another_body_are_duplicates_and_counted(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    send(pipeline)
    lake.drain(settings, keys)
    send(pipeline, again=UNKNOWN_FIELD)
    send(pipeline, again=UNKNOWN_FIELD * 2)
    report = lake.drain(settings, keys)
    assert report.duplicates["spans"] == 2
    assert len(rows(settings, keys, "spans")) == 1
    repeated = [r for r in rows(settings, keys, "ledger") if "repeated_item" in r]
    assert sum(r[5] for r in repeated) == 2


def test_equal_log_records_in_one_body_all_count(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    for _ in range(3):
        records.add(time_unix_nano=NOW_NS).body.string_value = "tick"
    body = request.SerializeToString()
    pipeline.process([Incoming("logs", body)])
    pipeline.process([Incoming("logs", body + UNKNOWN_FIELD)])
    lake.drain(settings, keys)
    assert len(rows(settings, keys, "logs")) == 3


@pytest.mark.parametrize("step", ["write_partition", "finish_plan", "mark_drained"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_step_loses_and_doubles_nothing(
    settings: Settings, keys: KeyStore, pipeline: Pipeline, step: str, when: str
) -> None:
    for number in range(4):
        send(pipeline, number=number, at_ns=NOW_NS + number * 3_600_000_000_000)
    owner = {"write_partition": plan_run, "finish_plan": Catalog, "mark_drained": Spool}[step]
    real = getattr(owner, step)

    def crash(*args: object, **kwargs: object) -> None:
        if when == "after":
            real(*args, **kwargs)
        raise SystemExit("killed")

    with patch.object(owner, step, crash), pytest.raises(SystemExit):
        lake.drain(settings, keys)
    send(pipeline, number=9)
    lake.drain(settings, keys)
    assert len(rows(settings, keys, "spans")) == 5
    assert len({r[1] for r in rows(settings, keys, "spans")}) == 5


def test_a_destroyed_key_makes_its_spool_rows_unreadable(
    settings: Settings, keys: KeyStore, pipeline: Pipeline, spool: Spool
) -> None:
    send(pipeline)
    (batch, *_) = spool.read(0)
    keys.destroy("spool", batch.day)
    with pytest.raises(KeyProblem):
        batch.table()


def test_parquet_cannot_be_read_without_its_key(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    import duckdb

    send(pipeline)
    lake.drain(settings, keys)
    (file,) = Catalog(settings.lake_path).files("spans")
    with pytest.raises(duckdb.Error):
        connect().execute(
            f"SELECT * FROM read_parquet('{settings.lake_path / file.path}')"
        ).fetchall()


def test_drained_rows_are_pruned_when_the_live_window_no_longer_needs_them(
    settings: Settings, keys: KeyStore, pipeline: Pipeline, spool: Spool
) -> None:
    send(pipeline)
    assert spool.prune(keep_us=0, digest_us=0) == 0  # not drained yet
    lake.drain(settings, keys)
    assert spool.sizes(0, limit=1)[0][0] == 1
    assert spool.prune(keep_us=-1, digest_us=-1) > 0
    assert spool.sizes(0, limit=1) == []
    send(pipeline, number=5)
    assert spool.sizes(0, limit=1)[0][0] > 1


def test_the_whole_capture_reaches_the_lake_in_few_bytes(
    settings: Settings, keys: KeyStore, pipeline: Pipeline, incoming: list[Incoming]
) -> None:
    for start in range(0, len(incoming), 64):
        pipeline.process(incoming[start : start + 64])
    again = [Incoming(i.signal, i.body + UNKNOWN_FIELD) for i in incoming if i.signal == "spans"]
    pipeline.process(again)
    lake.drain(settings, keys)
    catalog = Catalog(settings.lake_path)
    for signal in ("spans", "logs", "metric_points"):
        sent = sum(count_items(i.signal, i.body) for i in incoming if i.signal == signal)
        assert sum(f.row_count for f in catalog.files(signal)) == sent
    spans = catalog.files("spans")
    # Young files also hold 16 bytes of identity a row, until they are compacted.
    assert sum(f.byte_count for f in spans) / sum(f.row_count for f in spans) <= 40 + 16


def test_a_drain_ends_while_more_keeps_coming(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    for number in range(6):
        send(pipeline, number=number)
    settings.warehouse.plan_rows = 4
    sent = iter(range(6, 1_000))
    report = lake.drain(settings, keys, progress=lambda _: send(pipeline, number=next(sent)))
    assert report.landed["spans"] == 6
    assert report.plans > 1
    assert lake.drain(settings, keys).landed["spans"] == next(sent) - 6


def test_repeats_are_recognised_without_reading_a_row_of_the_hour(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    send(pipeline)
    lake.drain(settings, keys)
    (file,) = Catalog(settings.lake_path).files("spans")
    assert file.has_identities
    read: list[str] = []
    real = plan_run.scan

    def spy(settings: Settings, files: list, columns: str = "") -> str:
        read.append(columns)
        return real(settings, files, columns)

    send(pipeline, again=UNKNOWN_FIELD)
    with patch.object(plan_run, "scan", spy):
        assert lake.drain(settings, keys).duplicates["spans"] == 1
    assert read == ["identity_high, identity_low"]


def test_readers_see_the_contract_and_no_identity(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    send(pipeline)
    lake.drain(settings, keys)
    files = Catalog(settings.lake_path).files("spans")
    con = connect()
    add_file_keys(con, keys, files)
    con.execute(f"CREATE VIEW v AS {scan(settings, files)}")
    assert [r[0] for r in con.execute("DESCRIBE v").fetchall()] == SIGNALS["spans"].names


def test_several_plans_land_what_one_lands_each_file_in_order(
    settings: Settings, keys: KeyStore, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_run, "_SLICE_ROWS", 2)
    for number in (5, 3, 8, 1, 9, 2, 7):
        send(pipeline, number=number, at_ns=NOW_NS + number)
        send(pipeline, number=number, at_ns=NOW_NS + number, again=UNKNOWN_FIELD)
    settings.warehouse.plan_rows = 9
    report = lake.drain(settings, keys)
    assert report.plans > 1
    assert (report.landed["spans"], report.duplicates["spans"]) == (7, 7)
    files = Catalog(settings.lake_path).files("spans")
    con = connect()
    add_file_keys(con, keys, files)
    for file in files:
        sql = f"SELECT start_at, trace_id FROM ({scan(settings, [file])})"
        found = con.execute(sql).fetchall()
        assert len(found) == file.row_count
        assert found == sorted(found)


@given(pending=st.integers(0, 10**9), most=st.integers(1, 10**7))
def test_a_plan_takes_few_rows_where_few_wait_and_never_more_than_it_may(
    pending: int, most: int
) -> None:
    rows = lake._rows_of_a_plan(pending, most)
    assert 0 < rows <= most
    assert rows <= max(lake._SMALL_PLAN_ROWS, pending // lake._PLANS)
    assert rows == most or (rows + 1) * lake._PLANS > pending
