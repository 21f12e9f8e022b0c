"""The durable queue: what was committed is there, in order, once, until it is drained and old."""

import sqlite3
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from ingestion.settings import Settings
from ingestion.spool import DATASET, Receipt, Spool
from privacy.keys.key_store import KeyDestroyed, KeyProblem, KeyStore

HOUR_US = 3_600_000_000


def table(*numbers: int) -> pa.Table:
    return pa.table({"n": pa.array(numbers, pa.int64())})


def numbers(spool: Spool, after: int = 0, **asked) -> list[list[int]]:
    return [batch.table()["n"].to_pylist() for batch in spool.read(after, **asked)]


def _receipt(digest: bytes, **more) -> Receipt:
    return Receipt(digest, "spans", {"api": 3}, **more)


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: int(moment.timestamp() * 1e9))


def test_what_is_appended_is_read_in_order_and_after_a_seq(spool: Spool) -> None:
    assert (spool.last_seq(), spool.pending(), spool.waiting(0)) == (0, (0, 0), (0, None))
    assert spool.append([("spans", table(1, 2)), ("logs", table(3))]) == 2
    assert spool.append([("spans", table(4, 5, 6))], detector_id="d1") == 3
    assert numbers(spool) == [[1, 2], [3], [4, 5, 6]]
    assert numbers(spool, 1) == [[3], [4, 5, 6]]
    assert numbers(spool, limit=2) == [[1, 2], [3]]
    assert numbers(spool, signals=["spans"]) == [[1, 2], [4, 5, 6]]
    assert [(b.seq, b.row_count, b.detector_id) for b in spool.read(0)] == [
        (1, 2, ""), (2, 1, ""), (3, 3, "d1"),
    ]  # fmt: skip


def test_rows_are_counted_up_to_a_seq_and_after_one(spool: Spool) -> None:
    spool.append([("spans", table(*range(n))) for n in (1, 2, 4, 8)])
    assert spool.sizes(0) == [(1, 1), (2, 2), (3, 4), (4, 8)]
    assert spool.sizes(1, until=3) == [(2, 2), (3, 4)]
    assert spool.sizes(0, limit=1) == [(1, 1)]
    assert (spool.rows_between(1, 3), spool.rows_between(0, 4), spool.rows_between(4, 4)) == (
        6,
        15,
        0,
    )
    rows, first_us = spool.waiting(2)
    assert rows == 12 and first_us == next(spool.read(2)).received_us


def test_a_table_sealed_before_comes_first_and_opens_like_the_others(spool: Spool) -> None:
    sealed = spool.seal_table("spans", table(1))
    spool.append([("spans", table(2))], sealed=[sealed], detector_id="d")
    assert numbers(spool) == [[1], [2]]
    assert [b.detector_id for b in spool.read(0)] == ["d", "d"]


def test_the_detector_of_the_latest_batch_that_names_one(spool: Spool) -> None:
    assert spool.last_detector() is None
    spool.append([("spans", table(1))], detector_id="old")
    spool.append([("spans", table(2))], detector_id="new")
    spool.append([("spans", table(3))])
    batch = next(spool.read(1))
    assert spool.last_detector() == ("new", batch.received_us)


def test_a_receipt_comes_back_as_it_was_however_many_are_asked_for(spool: Spool) -> None:
    given = [_receipt(n.to_bytes(16, "big"), rejected=n, message=f"m{n}", refused={"api": n})
             for n in range(1_001)]  # fmt: skip
    spool.append([], given)
    digests = [r.digest for r in given]
    assert spool.receipts([*digests, b"unknown"]) == {r.digest: r for r in given}
    spool.append([], [_receipt(digests[0], rejected=9)])
    assert spool.receipts(digests[:1])[digests[0]] == given[0]


def test_receipts_of_a_day_whose_key_is_gone_count_as_new(spool: Spool, keys: KeyStore) -> None:
    spool.append([("spans", table(1))], [_receipt(b"a")])
    (batch,) = spool.read(0)
    keys.destroy(DATASET, batch.day)
    assert spool.receipts([b"a"]) == {}
    with pytest.raises(KeyDestroyed):
        batch.table()


def test_a_destroyed_key_hides_the_receipts_of_its_day_alone(
    spool: Spool, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first and the last second of days, which are days of UTC.
    moments = (
        datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC), datetime(2026, 3, 3, 0, 0, 1, tzinfo=UTC),
    )  # fmt: skip
    for digest, moment in zip((b"a", b"b"), moments, strict=True):
        at(monkeypatch, moment)
        spool.append(
            [("spans", table(1))], [_receipt(digest)], sealed=[spool.seal_table("logs", table(2))]
        )
    assert [(b.day, b.received_us) for b in spool.read(0)] == [
        (m.date(), int(m.timestamp() * 1e6)) for m in moments for _ in range(2)
    ]
    keys.destroy(DATASET, moments[0].date())
    assert set(spool.receipts([b"a", b"b"])) == {b"b"}


def test_a_receipt_that_says_nothing_refused_nothing() -> None:
    plain = Receipt(b"a", "spans", {"api": 1})
    assert (plain.rejected, plain.message, plain.refused) == (0, "", {})


def test_a_commit_that_fails_leaves_nothing_and_the_next_one_succeeds(spool: Spool) -> None:
    with pytest.raises(sqlite3.Error):
        spool.append([("spans", table(1)), (None, table(2))], [_receipt(b"a")])  # type: ignore[list-item]
    assert (numbers(spool), spool.receipts([b"a"])) == ([], {})
    spool.append([("spans", table(3))])
    assert numbers(spool) == [[3]]


def test_the_cursor_never_goes_back_and_pending_is_what_lies_behind_it(spool: Spool) -> None:
    spool.append([("spans", table(1)), ("spans", table(2, 3)), ("spans", table(4, 5, 6))])
    assert (spool.drained_seq(), spool.pending()) == (0, (3, 6))
    spool.mark_drained(2)
    spool.mark_drained(1)
    assert (spool.drained_seq(), spool.pending()) == (2, (1, 3))


def test_only_what_is_drained_and_old_is_pruned_and_its_seq_is_not_given_again(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    for hours in (0, 2, 4):
        at(monkeypatch, noon + timedelta(hours=hours))
        spool.append([("spans", table(hours))], [_receipt(bytes([hours]))])
    at(monkeypatch, noon + timedelta(hours=4))
    assert spool.prune(keep_us=HOUR_US, digest_us=9 * HOUR_US) == 0
    spool.mark_drained(3)
    # What is exactly as old as is kept stays.
    assert spool.prune(keep_us=2 * HOUR_US, digest_us=4 * HOUR_US) == 1
    assert numbers(spool) == [[2], [4]]
    assert set(spool.receipts([b"\x00", b"\x02", b"\x04"])) == {b"\x00", b"\x02", b"\x04"}
    assert spool.prune(keep_us=0, digest_us=4 * HOUR_US - 1) == 1
    assert set(spool.receipts([b"\x00", b"\x02", b"\x04"])) == {b"\x02", b"\x04"}
    at(monkeypatch, noon + timedelta(hours=5))
    spool.prune(keep_us=0, digest_us=0)
    assert (numbers(spool), spool.last_seq()) == ([], 3)
    assert spool.append([("spans", table(9))]) == 4


def test_what_is_set_aside_stays_until_another_version_takes_it_back(spool: Spool) -> None:
    spool.append([("spans", table(1)), ("spans", table(2, 3)), ("spans", table(4))])
    spool.set_aside(2, "1.0 KeyError")
    spool.mark_drained(2)
    assert spool.aside() == (1, 2)
    time.sleep(0.001)
    assert spool.prune(keep_us=0, digest_us=0) == 1
    assert numbers(spool) == [[2, 3], [4]]
    assert spool.take_back("1.0") == 0
    assert spool.take_back("1.1") == 1
    assert [(b.seq, b.is_taken_back, b.set_aside) for b in spool.read(0)] == [
        (3, False, ""), (4, True, ""),
    ]  # fmt: skip
    assert (numbers(spool), spool.aside(), spool.pending()) == ([[4], [2, 3]], (0, 0), (2, 3))


def test_what_is_set_aside_behind_the_cursor_is_not_taken_back(spool: Spool) -> None:
    spool.append([("spans", table(1)), ("spans", table(2))])
    spool.set_aside(2, "1.0 KeyError")
    spool.mark_drained(1)
    assert spool.take_back("1.1") == 0


def test_fewer_rows_take_the_place_of_a_batch_and_followers_are_told(spool: Spool) -> None:
    spool.append([("spans", table(1, 2, 3))])
    (batch,) = spool.read(0)
    spool.rewrite(batch, table(2))
    assert (numbers(spool), spool.sizes(0)) == ([[2]], [(1, 1)])
    assert spool.erasures() == 0
    spool.mark_erased()
    spool.mark_erased()
    assert spool.erasures() == 2


def test_days_until_one_are_sized_and_deleted_drained_or_not(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    for days in range(3):
        at(monkeypatch, noon + timedelta(days=days))
        spool.append([("spans", table(*range(days + 1)))], [_receipt(bytes([days]))])
    first = date(2026, 3, 2)
    assert spool.days() == {first + timedelta(days=n) for n in range(3)}
    payloads = [len(batch.payload) for batch in spool.read(0)]
    assert spool.size_until(first) == (1, payloads[0])
    assert spool.size_until(first + timedelta(days=1)) == (3, sum(payloads[:2]))
    assert spool.size_until(first - timedelta(days=1)) == (0, 0)
    spool.delete_until(first + timedelta(days=1))
    assert numbers(spool) == [[0, 1, 2]]
    assert set(spool.receipts([bytes([n]) for n in range(3)])) == {b"\x02"}


def test_another_connections_commit_is_another_version(settings: Settings, keys: KeyStore) -> None:
    writer, reader = (Spool(settings.spool_path, keys) for _ in range(2))
    before = reader.version()
    assert reader.version() == before
    writer.append([("spans", table(1))])
    assert reader.version() != before
    assert numbers(reader) == [[1]]


def test_rows_lie_sealed_and_are_bound_to_their_place(spool: Spool, settings: Settings) -> None:
    spool.append([("spans", pa.table({"n": ["a text to be found"] * 50}))])
    spool.append([("spans", table(1))])
    assert all(b"a text to be found" not in f.read_bytes() for f in _files(settings.spool_path))
    with sqlite3.connect(settings.spool_path) as db:
        db.execute("UPDATE batches SET payload = (SELECT payload FROM batches WHERE seq = 2)")
    first, second = spool.read(0)
    assert second.table()["n"].to_pylist() == [1]
    with pytest.raises(KeyProblem, match="moved or altered"):
        first.table()


def test_one_connection_ends_and_the_file_stays(settings: Settings, keys: KeyStore) -> None:
    spool = Spool(settings.spool_path, keys)
    spool.append([("spans", table(1))])
    spool.close()
    with pytest.raises(sqlite3.ProgrammingError):
        spool.last_seq()
    assert numbers(Spool(settings.spool_path, keys)) == [[1]]


def _files(path: Path) -> list[Path]:
    return list(path.parent.glob(f"{path.name}*"))
