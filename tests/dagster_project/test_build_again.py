"""A second build, a second writer, and who reads what was published."""

import duckdb
import pytest

from dagster_project.marts.warehouse import (
    DBT_PROJECT,
    audience_marts,
    needs_full_refresh,
    writer_lock,
)
from dagster_project.process.build import run_build
from ingestion.lake.catalog import Catalog
from ingestion.lake.duck import (
    AUDIENCES,
    NotPublished,
    key_of_file,
    open_published,
    published_dataset,
    secret_text,
)
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings, load_settings
from ingestion.spool import Spool
from privacy.keys.key_store import KeyStore
from tests.ingestion.receivers.test_receivers import NOW_NS, span_request


def test_a_second_build_covers_new_hours_only_and_late_data_changes_its_hour(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    def total() -> int:
        con = open_published(settings, "operations")
        return con.execute(
            "SELECT coalesce(sum(request_count), 0) FROM fct_requests_minutely"
        ).fetchone()[0]

    def send(number: int, at_ns: int) -> None:
        request = span_request(
            span=bytes([number]) * 8, start_time_unix_nano=at_ns, end_time_unix_nano=at_ns + 9
        )
        span = request.resource_spans[0].scope_spans[0].spans[0]
        span.attributes.add(key="http.method").value.string_value = "GET"
        pipeline.process([Incoming("spans", request.SerializeToString())])

    send(1, NOW_NS)
    assert needs_full_refresh(settings)
    assert run_build(settings).ok
    assert total() == 1
    assert Catalog(settings.lake_path).dirty_hours() == []
    send(2, NOW_NS + 1_000)
    send(3, NOW_NS - 3_600_000_000_000)
    report = run_build(settings)
    assert report.ok, report
    assert total() == 3


def test_the_writers_lock_makes_the_second_writer_wait(settings: Settings) -> None:
    import threading

    said: list[str] = []
    entered = threading.Event()

    def second() -> None:
        with writer_lock(settings, said.append):
            entered.set()

    with writer_lock(settings):
        thread = threading.Thread(target=second)
        thread.start()
        deadline = __import__("time").monotonic() + 5
        while not said and __import__("time").monotonic() < deadline:
            thread.join(0.01)
        assert not entered.is_set()
    thread.join(5)
    assert entered.is_set()
    assert "waiting" in said[0]


def test_a_spool_of_another_home_is_refused(settings: Settings, tmp_path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    KeyStore.open(other, create=True)
    assert Spool(load_settings(other).spool_path, KeyStore.open(other)).last_seq() == 0


def test_each_audience_reads_its_own_marts_with_its_own_key(built: Settings) -> None:
    keys = KeyStore.open(built.home)
    for audience in AUDIENCES:
        con = open_published(built, audience)
        tables = {row[0] for row in con.execute("SHOW TABLES").fetchall()}
        con.close()
        released = {"daily_active_players"} if audience == "engagement" else set()
        assert tables == audience_marts(audience) | released
        for other in set(AUDIENCES) - {audience}:
            raw = duckdb.connect()
            key = secret_text(
                key_of_file(built.published_path(other), keys, published_dataset(other))
            )
            with pytest.raises(duckdb.Error):
                raw.execute(
                    f"ATTACH '{built.published_path(audience)}' AS x (READ_ONLY, ENCRYPTION_KEY '{key}')"
                )
    assert "fct_requests_minutely" not in audience_marts("privacy") | audience_marts("engagement")
    for name in ("everybody", "../operations"):
        with pytest.raises(NotPublished, match="no audience"):
            open_published(built, name)


def test_every_mart_is_assigned_to_somebody_and_nothing_else_is() -> None:
    marts_ = {file.stem for file in (DBT_PROJECT / "models" / "marts").rglob("*.sql")}
    assert marts_ == {mart for audience in AUDIENCES for mart in audience_marts(audience)}
