"""Expired rows leave the warehouse file with their bytes; a plain DELETE does not do that."""

from datetime import datetime
from pathlib import Path

import duckdb

from dagster_project.marts.warehouse import warehouse_key
from dagster_project.retention.marts import copy_without, expire, past_time, rewrite_warehouse
from ingestion.lake.duck import attach, connect
from ingestion.settings import Settings
from privacy.keys.key_store import KeyStore
from privacy.retention import receipts
from privacy.retention.retention_policy import load_policy

NOW = datetime(2026, 11, 25, 12)
MARKERS = 20_000
_MAKE = f"""
    CREATE SCHEMA w.marts;
    CREATE TABLE w.marts.fct_websocket_connections AS
    SELECT CASE WHEN n % 2 = 0 THEN 'oldmarker' ELSE 'newmarker' END || n AS session,
        TIMESTAMP '2026-11-25 12:00:00' - to_days(CASE WHEN n % 2 = 0 THEN 20 ELSE 1 END) AS opened_at
    FROM range({2 * MARKERS}) AS t (n);
    CREATE TABLE w.marts.fct_requests_minutely AS SELECT 7 AS request_count;
"""


def _plain(path: Path) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": "1"})
    con.execute("SET force_compression = 'uncompressed'")
    con.execute(f"ATTACH '{path}' AS w")
    for statement in _MAKE.split(";"):
        con.execute(statement or "SELECT 1")
    con.execute("CHECKPOINT w")
    return con


def test_the_copy_holds_no_byte_of_an_expired_row(tmp_path: Path) -> None:
    con = _plain(tmp_path / "old.duckdb")
    con.execute(f"ATTACH '{tmp_path / 'new.duckdb'}' AS fresh")
    copy_without(con, "w", "fresh", past_time(load_policy(), NOW))
    con.close()
    assert (tmp_path / "old.duckdb").read_bytes().count(b"oldmarker") >= MARKERS
    content = (tmp_path / "new.duckdb").read_bytes()
    assert (content.count(b"oldmarker"), content.count(b"newmarker") >= MARKERS) == (0, True)


def test_the_same_search_finds_every_byte_after_a_plain_delete(tmp_path: Path) -> None:
    con = _plain(tmp_path / "old.duckdb")
    con.execute("DELETE FROM w.marts.fct_websocket_connections WHERE opened_at < '2026-11-11'")
    con.execute("CHECKPOINT w")
    con.execute("VACUUM")
    con.close()
    assert (tmp_path / "old.duckdb").read_bytes().count(b"oldmarker") >= MARKERS


def test_the_warehouse_is_rewritten_once_and_keeps_the_rest(
    settings: Settings, keys: KeyStore
) -> None:
    con = connect()
    attach(con, settings.warehouse_path, "w", warehouse_key(settings, keys))
    for statement in _MAKE.split(";"):
        con.execute(statement or "SELECT 1")
    con.execute("CREATE MACRO w.main.twice(n) AS n * 2")
    con.close()
    policy = load_policy()
    (receipt,) = expire(settings, keys, policy, NOW)
    assert (receipt.rule, receipt.rows, receipt.proof_rows) == ("warehouse", MARKERS, 0)
    assert receipts.read(settings.home, keys) == [receipt]
    assert rewrite_warehouse(settings, keys, past_time(policy, NOW)).rows == {}
    con = connect()
    attach(con, settings.warehouse_path, "w", warehouse_key(settings, keys))
    sql = "SELECT count(*) FROM w.marts.fct_websocket_connections"
    assert con.execute(sql).fetchall() == [(MARKERS,)]
    assert con.execute("SELECT w.main.twice(request_count) FROM w.marts.fct_requests_minutely").fetchall() == [(14,)]  # fmt: skip


def test_error_skeletons_go_a_month_after_the_last_error(
    settings: Settings, keys: KeyStore
) -> None:
    con = connect()
    attach(con, settings.warehouse_path, "w", warehouse_key(settings, keys))
    con.execute("CREATE SCHEMA w.marts")
    con.execute(
        "CREATE TABLE w.marts.dim_error_groups AS SELECT 'e' || n AS title,"
        " TIMESTAMP '2026-11-25 11:00:00' - to_days(n::INTEGER) AS last_seen_at FROM range(40) AS t (n)"
    )
    con.close()
    gone = rewrite_warehouse(settings, keys, past_time(load_policy(), NOW))
    assert gone.rows == {"marts.dim_error_groups": 10}


def test_alert_weeks_go_whole_with_their_episodes(settings: Settings, keys: KeyStore) -> None:
    con = connect()
    attach(con, settings.warehouse_path, "w", warehouse_key(settings, keys))
    con.execute("CREATE SCHEMA w.marts")
    con.execute(
        "CREATE TABLE w.marts.fct_alert_episodes AS SELECT 'a' || n AS alert_id, fired_at,"
        " fired_at AS updated_at FROM (SELECT n, TIMESTAMP '2026-11-25 11:00:00' - to_days(n::INTEGER)"
        " AS fired_at FROM range(420) AS t (n))"
    )
    con.execute(
        "CREATE TABLE w.marts.fct_alert_resolution_weekly AS SELECT"
        " date_trunc('week', fired_at)::DATE AS week_on, count(*) AS fired_count"
        " FROM w.marts.fct_alert_episodes GROUP BY 1"
    )
    con.close()
    gone = rewrite_warehouse(settings, keys, past_time(load_policy(), NOW)).rows
    assert set(gone) == {"marts.fct_alert_episodes", "marts.fct_alert_resolution_weekly"}
    con = connect()
    attach(con, settings.warehouse_path, "w", warehouse_key(settings, keys))
    weekly = (
        "SELECT date_trunc('week', fired_at)::DATE, count(*) FROM w.marts.fct_alert_episodes"
        " GROUP BY 1 ORDER BY 1"
    )
    kept = con.execute("FROM w.marts.fct_alert_resolution_weekly ORDER BY 1").fetchall()
    assert con.execute(weekly).fetchall() == kept
    assert kept[0][1] == 7 and (NOW.date() - kept[0][0]).days in range(384, 391)


def test_rows_of_a_component_with_a_rule_of_its_own_leave_a_mart_by_that_rule() -> None:
    policy = load_policy({"spans": "14d", "spans/chat-api": "3d", "spans/world-api": "keep"})
    con = duckdb.connect()
    con.execute(
        "CREATE TABLE t AS SELECT component, TIMESTAMP '2026-11-25' - to_days(age) AS opened_at, age FROM"
        " (VALUES ('chat-api'), ('player-api'), ('world-api')) c(component), (VALUES (2), (5), (20)) a(age)"
    )
    condition = past_time(policy, datetime(2026, 11, 25))("marts.fct_websocket_connections")
    left = con.execute(f"SELECT component, age FROM t WHERE NOT coalesce({condition}, false)")
    assert sorted(left.fetchall()) == [
        ("chat-api", 2), ("player-api", 2), ("player-api", 5),
        ("world-api", 2), ("world-api", 5), ("world-api", 20),
    ]  # fmt: skip
