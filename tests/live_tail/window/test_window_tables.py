"""The tables of the hot window keep what they are given and hold no memory for what has left them."""

from datetime import datetime, timedelta

import pyarrow as pa

from live_tail.window.window_tables import Tables

_BEGIN = datetime(2026, 1, 1)


def ledger(minute: int, items: int = 1) -> pa.Table:
    """Rows of a minute, of as many senders as it has seconds."""
    at = _BEGIN + timedelta(minutes=minute)
    return pa.table(
        {
            "bucket_at": pa.array([at] * 60, pa.timestamp("us")),
            "component": [f"sender {number}" for number in range(60)],
            "signal": ["spans"] * 60,
            "outcome": ["accepted"] * 60,
            "reason": [""] * 60,
            "items": [items] * 60,
        }
    )


def requests(minute: int) -> pa.Table:
    at = _BEGIN + timedelta(minutes=minute)
    numbers = list(range(500))
    return pa.table(
        {
            "bucket_at": pa.array([at] * 500, pa.timestamp("us")),
            "component": [f"component {number % 7}" for number in numbers],
            "version": ["1.0"] * 500,
            "environment": [""] * 500,
            "route": [f"/route/{number % 20}" for number in numbers],
            "method": ["GET"] * 500,
            "status_class": ["2xx"] * 500,
            "log_bucket": pa.array(numbers, pa.int32()),
            "is_judged": [True] * 500,
            "request_count": [1] * 500,
            "error_count": [0] * 500,
            "ms_max": [float(number) for number in numbers],
        }
    )


def lived(tables: Tables, minutes: range, *, keep: int = 60) -> None:
    """Minute by minute: rows come, rows leave, what waits is merged."""
    for minute in minutes:
        for _ in range(2):
            tables.put("hot_ledger", [ledger(minute)])
            tables.put("hot_requests", [requests(minute)])
        start = _BEGIN + timedelta(minutes=minute - keep)
        tables.evict(start)
        tables.merge(start)
        tables.give_back()


def held(tables: Tables) -> int:
    rows = tables.con.execute("SELECT memory_usage_bytes FROM duckdb_memory()").fetchall()
    return sum(size for (size,) in rows)


def test_parts_of_a_bucket_become_one_row_and_nothing_is_lost() -> None:
    tables = Tables()
    lived(tables, range(30))
    [counted] = tables.con.execute("SELECT count(*), sum(items) FROM hot_ledger").fetchall()
    assert counted == (30 * 60, 2 * 30 * 60)
    [counted] = tables.con.execute(
        "SELECT count(*), sum(request_count) FROM hot_requests"
    ).fetchall()
    assert counted == (30 * 500, 2 * 30 * 500)


def test_a_row_for_an_older_bucket_is_merged_there() -> None:
    tables = Tables()
    lived(tables, range(10))
    tables.put("hot_ledger", [ledger(3, items=5)])
    tables.merge(_BEGIN)
    at = _BEGIN + timedelta(minutes=3)
    sql = "SELECT count(*), sum(items) FROM hot_ledger WHERE bucket_at = ?"
    assert tables.con.execute(sql, [at]).fetchall() == [(60, (2 + 5) * 60)]


def test_memory_does_not_grow_once_as_much_leaves_as_comes() -> None:
    tables = Tables()
    lived(tables, range(120))
    before = held(tables)
    lived(tables, range(120, 360))
    assert held(tables) < 1.3 * before
    [(rows,)] = tables.con.execute("SELECT count(*) FROM hot_ledger").fetchall()
    assert rows == 61 * 60


def test_a_reader_sees_every_table_by_its_name_while_it_is_written_anew() -> None:
    tables = Tables()
    lived(tables, range(90))
    reader = tables.con.cursor()
    reader.execute("BEGIN")
    sql = (
        "SELECT (SELECT sum(items) FROM hot_ledger), (SELECT sum(request_count) FROM hot_requests)"
    )
    before = reader.execute(sql).fetchall()
    lived(tables, range(90, 200))
    assert reader.execute(sql).fetchall() == before
    reader.execute("COMMIT")
    assert reader.execute(sql).fetchall() == [(2 * 61 * 60, 2 * 61 * 500)]


def test_a_cleared_window_keeps_its_minutes() -> None:
    tables = Tables()
    lived(tables, range(3))
    tables.put("hot_minutes", [pa.table({
        "minute_at": pa.array([_BEGIN], pa.timestamp("us")), "component": ["one"],
        "source": ["probe"], "good": [1], "total": [2],
    })])  # fmt: skip
    tables.clear()
    assert tables.con.execute("SELECT count(*) FROM hot_ledger").fetchall() == [(0,)]
    assert tables.con.execute("SELECT total FROM hot_minutes").fetchall() == [(2,)]
    assert tables.filled == {"hot_minutes"}
