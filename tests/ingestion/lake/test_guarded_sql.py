"""Questions of people in SQL: one reading statement, stopped when greedy, told in words when wrong."""

from pathlib import Path

import pytest

from ingestion.lake.guarded_sql import Limits, Refused, ask
from ingestion.settings import Settings
from tests.published import REQUESTS, publish

_USUAL = Limits()


@pytest.fixture
def copy(settings: Settings) -> Settings:
    publish(settings, "operations", {"fct_requests_minutely": REQUESTS, "dim_few": "SELECT 1 AS a"})
    return settings


def refusal(settings: Settings, sql: str, limits: Limits = _USUAL) -> str:
    with pytest.raises(Refused) as refused:
        ask(settings, sql, "operations", limits)
    return str(refused.value)


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT sum(request_count)::BIGINT FROM fct_requests_minutely", [(1830,)]),
        ("-- a note\nSELECT a FROM dim_few; ", [(1,)]),
        ("SELECT ';' AS sign", [(";",)]),
        ("WITH x AS (SELECT 2 AS b) SELECT b FROM x", [(2,)]),
        ("SHOW TABLES", [("dim_few",), ("fct_requests_minutely",)]),
        ("PIVOT dim_few ON a", [(1,)]),
    ],
)
def test_one_reading_statement_is_answered(copy: Settings, sql: str, rows: list[object]) -> None:
    answer = ask(copy, sql, "operations")
    assert (answer.rows, answer.is_cut) == (rows, False)
    assert len(answer.types) == len(answer.columns)


@pytest.mark.parametrize(
    "sql",
    [
        "", "SELECT 1; SELECT 2", "DROP TABLE dim_few", "CREATE TABLE x AS SELECT 1; SELECT 1",
        "WITH x AS (SELECT 1 AS a) INSERT INTO dim_few SELECT a FROM x", "SET threads = 4",
        "COPY dim_few TO 'few.csv'", "ATTACH 'other.db'", "PIVOT dim_few ON a; DROP TABLE dim_few",
        "EXPLAIN ANALYZE SELECT 1",
    ],
)  # fmt: skip
def test_anything_else_is_refused(copy: Settings, sql: str) -> None:
    assert "only one SELECT" in refusal(copy, sql)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELEC 1", "only one SELECT"),
        ("SELECT FROM WHERE", "not valid"),
        ("SELECT * FROM nowhere", "there are dim_few, fct_requests_minutely"),
        ("SELECT rout FROM fct_requests_minutely", 'no column rout; near it there is "route"'),
        ("SELECT * FROM read_csv('/etc/passwd')", "files and settings cannot be asked"),
        ("SELECT 'x'::INT", "Could not convert string 'x'"),
    ],
)
def test_what_is_wrong_is_told_in_words(copy: Settings, sql: str, words: str) -> None:
    told = refusal(copy, sql)
    assert words in told and "Error:" not in told and "^" not in told


def test_the_place_of_an_error_is_told(copy: Settings) -> None:
    told = refusal(copy, "SELECT component,\n  rout\nFROM fct_requests_minutely")
    assert "line 2, at “rout”" in told


def test_a_greedy_question_is_refused_before_it_runs_stopped_while_it_does_and_leaves_no_file(
    copy: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "asked"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    before = {p for p in copy.home.rglob("*") if p.is_file()}
    crossed = ", ".join(f"fct_requests_minutely AS t{n}" for n in range(6))
    assert "was not run" in refusal(copy, f"SELECT * FROM {crossed}", Limits(passed_rows=1e6))
    long = "SELECT count(*) FROM range(10000000000000) AS r (i) WHERE sqrt(i) < 0"
    assert "longer than 0 s" in refusal(copy, long, Limits(seconds=0.3))
    large = "SELECT list(i) FROM range(100000000) AS r (i)"
    assert "more than 30 MB of memory" in refusal(copy, large, Limits(memory="30 MB"))
    wide = "SELECT repeat('x', 3000000) AS x FROM range(5)"
    assert "larger than 2 MB" in refusal(copy, wide, Limits(answer_mb=2))
    assert list(folder.rglob("*")) == []
    assert {p for p in copy.home.rglob("*") if p.is_file()} == before


def test_rows_beyond_the_limit_are_cut_and_that_is_told(copy: Settings) -> None:
    answer = ask(copy, "SELECT i FROM range(50) AS r (i)", "operations", Limits(rows=7))
    assert len(answer.rows) == 7 and answer.is_cut


def test_nothing_is_published_yet(settings: Settings) -> None:
    assert "nothing is published for operations yet" in refusal(settings, "SELECT 1")
