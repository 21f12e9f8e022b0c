"""A purged day is gone: from the lake, from the spool, and from a backup that was taken before."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from ingestion.expiry import plan as expiry
from ingestion.lake import drain as lake
from ingestion.lake.catalog import Catalog
from ingestion.lake.duck import connect, secret_text
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings
from ingestion.spool import Spool
from privacy.keys.key_store import KeyProblem, KeyStore
from privacy.keys.pseudonyms import Pseudonyms
from privacy.retention import receipts as receipt_book
from privacy.retention.retention_policy import RetentionProblem, load_policy, read_policy
from tests.ingestion.lake.test_lake import rows
from tests.ingestion.receivers.test_receivers import span_request

MARKER = "PURGED"  # the head of every span id
NOW = datetime(2026, 11, 25, 12, 30)
POLICY = load_policy()


def send(pipeline: Pipeline, number: int, at: datetime) -> None:
    ns = int(at.replace(tzinfo=UTC).timestamp() * 1e9)
    request = span_request(
        span=MARKER.encode() + number.to_bytes(2, "big"),
        start_time_unix_nano=ns,
        end_time_unix_nano=ns + 1_000,
    )
    pipeline.process([Incoming("spans", request.SerializeToString())])


@pytest.fixture
def filled(settings: Settings, keys: KeyStore, pipeline: Pipeline) -> Settings:
    """Spans of 20 days, one a day at noon."""
    for days in range(20):
        send(pipeline, days + 1, NOW - timedelta(days=days, minutes=30))
    lake.drain(settings, keys)
    return settings


def found(home: Path, keys: KeyStore, text: str) -> int:
    """Times a text is found: in raw bytes, and in every partition that some living key opens."""
    count = sum(f.read_bytes().count(text.encode()) for f in home.rglob("*") if f.is_file())
    con = connect()
    names = []
    for number, key_id in enumerate(k for k in keys.ids() if k.startswith("lake.")):
        names.append(f"k{number}")
        secret = secret_text(keys.existing_key(key_id))
        con.execute(f"PRAGMA add_parquet_key('k{number}', '{secret}')")
    for file in home.rglob("*.parquet"):
        for name in names:
            config = f"encryption_config = {{footer_key: '{name}'}}"
            try:
                plain = con.execute(
                    f"SELECT span_id::VARCHAR FROM read_parquet('{file}', {config})"
                ).fetchall()
            except duckdb.Error:
                continue
            count += str(plain).count(text)
    con.close()
    return count


def test_the_plan_shows_what_goes_and_removes_nothing(filled: Settings, keys: KeyStore) -> None:
    spans = next(d for d in expiry.plan(filled, keys, POLICY, NOW) if d.rule == "spans")
    # 14 days before 12:30: the hour 12 of that day is not over, the five days before it are.
    assert (spans.rows, len(spans.files), len(spans.key_ids)) == (5, 5, 5)
    assert spans.bytes == sum((filled.lake_path / f.path).stat().st_size for f in spans.files)
    assert len(rows(filled, keys, "spans")) == 20


def test_a_purge_leaves_a_receipt_with_a_proof_and_is_done_once(
    filled: Settings, keys: KeyStore
) -> None:
    doomed = next(d for d in expiry.plan(filled, keys, POLICY, NOW) if d.rule == "spans")
    done = expiry.purge(filled, keys, POLICY, NOW)
    receipt = next(r for r in expiry.receipts(filled, keys) if r.rule == "spans")
    assert (receipt.rows, receipt.bytes, receipt.keys_destroyed) == (
        doomed.rows, doomed.bytes, doomed.key_ids,
    )  # fmt: skip
    assert {(r.proof_rows, r.proof_files) for r in done} == {(0, 0)}
    assert len(rows(filled, keys, "spans")) == 15
    assert expiry.purge(filled, keys, POLICY, NOW) == []
    assert {d.hour_at for d in Catalog(filled.lake_path).dirty_hours() if d.signal == "spans"} == {
        f.hour_at for f in Catalog(filled.lake_path).files("spans")
    }


def test_the_proof_sees_what_was_left(filled: Settings, keys: KeyStore) -> None:
    doomed = next(d for d in expiry.plan(filled, keys, POLICY, NOW) if d.rule == "spans")
    receipt = expiry._receipt(filled, keys, doomed, NOW)
    assert (receipt.proof_rows, receipt.proof_files) == (5, 10)  # rows; files and keys


def test_a_purged_day_is_gone_from_a_backup_taken_before(
    filled: Settings, keys: KeyStore, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    shutil.copytree(filled.home, backup, ignore=shutil.ignore_patterns("keys"))
    assert found(backup / "lake" / "spans", keys, MARKER) == 20
    doomed = next(d for d in expiry.plan(filled, keys, POLICY, NOW) if d.rule == "spans")
    expiry.purge(filled, keys, POLICY, NOW)
    assert found(filled.home / "lake" / "spans", keys, MARKER) == 15
    for file in doomed.files:
        assert found((backup / "lake" / file.path).parent, keys, MARKER) == 0
    shutil.copytree(backup, filled.home, dirs_exist_ok=True)
    again = KeyStore.open(filled.home)
    for file in doomed.files:
        assert found((filled.lake_path / file.path).parent, again, MARKER) == 0
    with pytest.raises(KeyProblem, match="expired"):
        rows(filled, again, "spans")
    expiry.purge(filled, again, POLICY, NOW)  # the restored files are listed again, and go again
    assert len(rows(filled, again, "spans")) == 15


def test_a_crash_between_the_steps_is_finished_by_the_next_pass(
    filled: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(self: Path, missing_ok: bool = False) -> None:
        raise SystemExit("killed")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", dies)
        with pytest.raises(SystemExit):
            expiry.purge(filled, keys, POLICY, NOW)
    assert len(rows(filled, keys, "spans")) == 15
    done = expiry.purge(filled, keys, POLICY, NOW)
    assert len(next(r for r in done if r.rule == "spans").keys_destroyed) == 5
    assert len(list((filled.lake_path / "spans").rglob("*.parquet"))) == 15


def test_late_data_does_not_reopen_a_purged_hour(
    filled: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    expiry.purge(filled, keys, POLICY, NOW)
    catalog = Catalog(filled.lake_path)
    catalog.clean(catalog.dirty_hours())
    send(pipeline, 99, NOW - timedelta(days=18, minutes=30))
    send(pipeline, 98, NOW - timedelta(days=18, minutes=90))  # an hour nobody ever built
    lake.drain(filled, keys)
    assert len(rows(filled, keys, "spans")) == 16
    assert len([d for d in catalog.dirty_hours() if d.signal == "spans"]) == 1
    reasons = [r[4] for r in rows(filled, keys, "ledger")]
    assert reasons.count("expired_hour") == 1


def test_salts_go_after_two_days_and_not_before(settings: Settings, keys: KeyStore) -> None:
    names = Pseudonyms(keys, "operations")
    today = date(2026, 11, 25)
    days = [today - timedelta(n) for n in range(4)]
    before = [names.of("player_1", day) for day in days]
    expiry.purge(settings, keys, POLICY, NOW)
    assert keys.days("pseudonym.operations") == [days[1], days[0]]
    assert [names.of("player_1", day) for day in days[:2]] == before[:2]
    # With the key destroyed not even the key holder can make the pseudonym again.
    assert names.of("player_1", days[3]) != before[3]


def test_a_guess_of_every_id_finds_no_pseudonym_without_the_key(
    keys: KeyStore, tmp_path: Path
) -> None:
    other = tmp_path / "attacker"
    other.mkdir()
    guess = Pseudonyms(KeyStore.open(other, create=True), "operations")
    day = date(2026, 11, 25)
    ids = [f"user_{n}" for n in range(5_000)]
    real = {Pseudonyms(keys, "operations").of(i, day) for i in ids}
    assert len(real) == 5_000
    assert real & {guess.of(i, day) for i in ids} == set()
    assert real & {Pseudonyms(keys, "operations").of(i, day + timedelta(1)) for i in ids} == set()


def test_spool_rows_and_their_key_go_when_nothing_took_them(
    settings: Settings, keys: KeyStore, pipeline: Pipeline, spool: Spool
) -> None:
    send(pipeline, 1, NOW)
    received = keys.days("spool")[0]
    later = datetime.combine(received, datetime.min.time()) + timedelta(days=16)
    expiry.purge(settings, keys, POLICY, later)
    assert (spool.pending(), keys.days("spool")) == ((0, 0), [])


@pytest.mark.parametrize("rules", [{"spam": "1d"}, {"spans": "soon"}, {"spans": "1h"}])
def test_a_wrong_rule_is_named(rules: dict[str, str]) -> None:
    with pytest.raises(RetentionProblem, match=next(iter(rules))):
        load_policy(rules)


def test_a_policy_file_overrides_and_a_broken_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("spans: keep\nlogs: 2d\n")
    policy = read_policy(file)
    assert policy.cutoff("spans", NOW) is None
    assert policy.cutoff("logs", NOW) == NOW - timedelta(days=2)
    for text in ("[", "- a"):
        file.write_text(text)
        with pytest.raises(RetentionProblem):
            read_policy(file)


def test_old_receipts_go_too(settings: Settings, keys: KeyStore) -> None:
    keys.data_key("pseudonym.operations", date(2024, 1, 1))
    expiry.purge(settings, keys, POLICY, datetime(2024, 1, 5))
    assert len(receipt_book.read(settings.home, keys)) == 1
    expiry.purge(settings, keys, POLICY, NOW)
    assert receipt_book.read(settings.home, keys) == []


def test_a_restored_spool_of_an_expired_day_holds_up_nobody(
    settings: Settings, keys: KeyStore, pipeline: Pipeline, spool: Spool
) -> None:
    send(pipeline, 1, NOW)
    (received,) = keys.days("spool")
    digests = [row[0] for row in spool._db.execute("SELECT digest FROM digests")]
    assert len(spool.receipts(digests)) == 1
    keys.destroy("spool", received)
    again = KeyStore.open(settings.home)
    assert Spool(settings.spool_path, again).receipts(digests) == {}
    assert lake.drain(settings, again).plans == 1
    assert Spool(settings.spool_path, again).pending() == (0, 0)


def test_metric_points_wait_for_their_roll_up_but_not_for_ever(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
        ExportMetricsServiceRequest,
    )

    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="load")
    ns = int((NOW - timedelta(days=33)).replace(tzinfo=UTC).timestamp() * 1e9)
    metric.gauge.data_points.add(time_unix_nano=ns, as_double=1.5)
    pipeline.process([Incoming("metric_points", request.SerializeToString())])
    lake.drain(settings, keys)

    def rules_at(now: datetime) -> set[str]:
        return {d.rule for d in expiry.plan(settings, keys, POLICY, now)} & {"metric_points"}

    assert rules_at(NOW) == set()
    assert rules_at(NOW + timedelta(days=5)) == {"metric_points"}
    catalog = Catalog(settings.lake_path)
    catalog.clean(catalog.dirty_hours())
    assert rules_at(NOW) == {"metric_points"}
