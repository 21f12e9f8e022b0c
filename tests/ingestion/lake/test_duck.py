"""Each kind of DuckDB connection: what it leaves on a disk when a question needs more than memory."""

import re
from pathlib import Path

import duckdb
import pytest

from ingestion.lake.duck import attach, connect, in_memory, open_published, published_dataset
from ingestion.settings import Settings
from privacy.keys.key_store import KeyStore, utc_today
from tests.conftest import ROOT
from tta_monitor import query
from tta_monitor.console.problems import Problem

_LARGE = (
    "SELECT md5(i::VARCHAR) AS plain, 'marker-4711-' || i AS marker FROM range(600000) AS r (i)"
)
_PACKAGES = "privacy ingestion live_tail dagster_project streamlit_app tta_monitor".split()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the question is asked, and where temporary files go."""
    asked_in = tmp_path / "asked"
    asked_in.mkdir()
    monkeypatch.chdir(asked_in)
    monkeypatch.setattr("tempfile.tempdir", str(asked_in))
    return asked_in


def _published(settings: Settings) -> duckdb.DuckDBPyConnection:
    """The operations copy with one mart of a few rows."""
    keys = KeyStore.open(settings.home)
    path = settings.published_path("operations")
    path.parent.mkdir(parents=True)
    con = connect()
    attach(con, path, "published", keys.data_key(published_dataset("operations"), utc_today()))
    con.execute("CREATE SCHEMA published.marts")
    con.execute("CREATE TABLE published.marts.fct_few AS SELECT 'marker-4711-0' AS marker")
    con.close()
    return open_published(settings, "operations")


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_keeps_everything_in_memory_fails_where_it_would_spill(folder: Path) -> None:
    con = in_memory(memory_limit="25MB")
    with pytest.raises(duckdb.OutOfMemoryException):
        con.execute(f"CREATE TEMP TABLE large AS {_LARGE}")
    con.close()
    assert _files(folder) == []


@pytest.mark.usefixtures("keys")
def test_what_can_encrypt_spills_nothing_in_the_clear(folder: Path) -> None:
    con = connect(memory_limit="25MB")
    con.execute(f"CREATE TEMP TABLE large AS {_LARGE}")
    spilled = _files(folder)
    assert spilled
    assert not any(b"marker-4711" in file.read_bytes() for file in spilled)
    con.close()


@pytest.mark.usefixtures("keys")
def test_a_question_that_needs_more_than_memory_is_told_so(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _published(settings).close()
    small = in_memory(memory_limit="25MB")
    monkeypatch.setattr("ingestion.lake.duck.in_memory", lambda **_: small)
    monkeypatch.setattr("ingestion.lake.duck.key_of_file", _key_of)
    with pytest.raises(Problem, match="more than 1 GB of memory"):
        query.ask(settings, f"SELECT * FROM ({_LARGE}) ORDER BY plain", "operations")
    assert _files(folder) == []


def _key_of(path: Path, keys: KeyStore, dataset: str):
    return keys.existing_key(f"{dataset}/{keys.days(dataset)[-1]}")


def test_there_is_one_way_to_open_duckdb() -> None:
    opens = re.compile(r"\bduckdb\.connect\(")
    files = [path for package in _PACKAGES for path in (ROOT / package).rglob("*.py")]
    found = {path.name for path in files if opens.search(path.read_text())}
    assert found == {"duck.py"}
