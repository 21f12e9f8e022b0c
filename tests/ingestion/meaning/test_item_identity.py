"""What makes two items the same: both speeds count each item once, however often and with what it is sent."""

from collections import Counter
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.contracts import SIGNALS
from ingestion.lake.catalog import LakeFile
from ingestion.lake.duck import in_memory
from ingestion.lake.repeats import event_hours, existing_identities, mark, stored_identity
from ingestion.meaning.item_identity import SAME
from live_tail.window.rows.arrow_columns import Rows
from live_tail.window.seen import Seen, keys_of

_AT = datetime(2026, 1, 1, 12, 59, 58)
_CONTENTS = [
    {"component": component, "event_name": name, "body": body, "second": second}
    for component in ("api", "agent")
    for name in (None, "a")
    for body in ("x", None)
    for second in (0, 3, 7)
]
_BATCHES = st.lists(
    st.lists(st.integers(0, len(_CONTENTS) - 1), min_size=1, max_size=12), min_size=2, max_size=5
)


def _rows(batches: list[list[int]], first_seq: int) -> pa.Table:
    """Log records as both speeds get them, with `batch_seq` and `row_no`."""
    flat = [(seq, number) for seq, batch in enumerate(batches, first_seq) for number in batch]
    made = [
        {
            **_CONTENTS[number],
            "event_at": _AT + timedelta(seconds=_CONTENTS[number]["second"]),
            "observed_at": _AT,
            "received_at": _AT + timedelta(seconds=seq),
            "severity_number": 9,
            "attributes": [("key", "value")],
        }
        for seq, number in flat
    ]
    table = pa.Table.from_pylist(made, schema=SIGNALS["logs"])
    seqs = pa.array([seq for seq, _ in flat], pa.int64())
    return table.append_column("batch_seq", seqs).append_column(
        "row_no", pa.array(range(len(flat)), pa.int64())
    )


def _live(batches: list[list[int]]) -> list[bool]:
    seen, told = Seen(), []
    for seq, batch in enumerate(batches, 1):
        rows = Rows(_rows([batch], seq))
        keys = keys_of("logs", rows)
        buckets = rows["event_at"].cast(pa.int64()).to_numpy() // 5_000_000 * 5_000_000
        is_new = seen.is_new(keys, buckets)
        seen.add(keys[is_new], buckets[is_new])
        told += is_new.tolist()
    return told


def _landed(batches: list[list[int]], *, closed: list[datetime] | None = None) -> list[bool]:
    """Two plans: the second one asks what the first one landed."""
    told: list[bool] = []
    known: list[pa.Table] = []
    half = len(batches) // 2
    for first_seq, some in ((1, batches[:half]), (1 + half, batches[half:])):
        con = in_memory(memory_limit="1GB")
        con.register("incoming", _rows(some, first_seq))
        if known:
            con.register("landed", pa.concat_tables(known))
        existing = [f"SELECT {stored_identity()} AS k FROM landed"] if known else []
        marks, _ = mark(con, "logs", "event_at", existing=existing, closed=closed or [])
        known.append(marks.filter(marks["is_new"]))
        told += marks["is_new"].to_pylist()
    return told


def _expected(batches: list[list[int]]) -> list[bool]:
    """The n-th of its content in a batch is new when no batch before held so many."""
    most: Counter[int] = Counter()
    told = []
    for batch in batches:
        here: Counter[int] = Counter()
        for number in batch:
            here[number] += 1
            told.append(here[number] > most[number])
        most |= here
    return told


@settings(max_examples=40, deadline=None)
@given(_BATCHES)
def test_both_speeds_find_the_same_items_new(batches: list[list[int]]) -> None:
    assert _live(batches) == _expected(batches)
    assert _landed(batches) == _expected(batches)


def test_hours_that_are_closed_take_nothing_and_others_do() -> None:
    batches = [[0, 1, 2], [0, 1, 2]]
    hours = [datetime(2026, 1, 1, 12), datetime(2026, 1, 1, 13)]
    con = in_memory(memory_limit="1GB")
    con.register("incoming", _rows(batches, 1))
    assert event_hours(con, "event_at") == hours
    _, counted = mark(con, "logs", "event_at", existing=[], closed=hours[:1])
    by_reason = Counter()
    for row in counted.to_pylist():
        by_reason[row["reason"]] += row["items"]
        assert (row["signal"], row["outcome"], row["component"]) == ("logs", "duplicate", "api")
    # Content 0 is of 12:59:58, contents 1 and 2 of 13:00 and later.
    assert by_reason == {"expired_hour": 2, "repeated_item": 2}
    assert _landed(batches, closed=hours) == [False] * 6


@pytest.mark.parametrize("signal", sorted(SAME))
def test_each_column_of_an_identity_is_one_of_the_signal(signal: str) -> None:
    assert set(SAME[signal]) <= set(SIGNALS[signal].names)


@pytest.mark.parametrize("has_identities", [True, False])
def test_young_files_tell_their_identities_and_old_ones_are_worked_out(
    has_identities: bool,
) -> None:
    file = LakeFile("a.parquet", "logs", _AT.replace(minute=0, second=0), 3, 1, "digest")
    con = in_memory(memory_limit="1GB")
    con.register("incoming", _rows([[0, 1, 2]], 1))
    marks, _ = mark(con, "logs", "event_at", existing=[], closed=[])
    con.register("marks", marks)
    lake = "SELECT * FROM incoming POSITIONAL JOIN marks" if has_identities else "FROM incoming"
    select = existing_identities([file], lake, has_identities)
    again = in_memory(memory_limit="1GB")
    again.register("incoming", _rows([[0, 3, 2]], 2))
    # Arrow has no integers of 128 bits without a sign.
    halves = "(k >> 64)::UBIGINT AS identity_high, (k & 18446744073709551615::UHUGEINT)::UBIGINT AS identity_low"
    again.register("landed", con.execute(f"SELECT {halves} FROM ({select})").to_arrow_table())
    found, _ = mark(
        again,
        "logs",
        "event_at",
        existing=[f"SELECT {stored_identity()} AS k FROM landed"],
        closed=[],
    )
    assert found["is_new"].to_pylist() == [False, True, False]


def test_what_is_forgotten_is_new_again_and_the_rest_is_not() -> None:
    seen = Seen()
    keys, buckets = np.array([1, 2, 3], np.uint64), np.array([10, 20, 20])
    seen.add(keys, buckets)
    assert len(seen) == 3
    seen.forget(20)
    assert len(seen) == 2
    assert seen.is_new(keys, buckets).tolist() == [True, False, False]
    assert seen.is_new_anywhere(np.array([1, 3, 4, 4], np.uint64)).tolist() == [
        True, False, True, False,
    ]  # fmt: skip
    seen.add(np.array([9], np.uint64), np.array([30]))
    seen.forget(20)
    assert len(seen) == 3
    # Known in another bucket is new in this one, known anywhere is not.
    assert seen.is_new(np.array([2], np.uint64), np.array([25])).tolist() == [True]
