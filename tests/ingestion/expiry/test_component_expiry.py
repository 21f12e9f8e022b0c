"""A component's own rule: its days go earlier or later than the others', from backups as well."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingestion.expiry import component_expiry, erasure
from ingestion.expiry import plan as expiry
from ingestion.lake import drain as lake
from ingestion.lake.catalog import Catalog
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings, load_settings
from privacy.keys.key_store import KeyStore
from privacy.retention.retention_policy import RetentionProblem, load_policy
from tests.ingestion.expiry.test_expiry import NOW, found
from tests.ingestion.lake.test_lake import rows
from tests.ingestion.receivers.test_receivers import span_request

EARLIER = load_policy({"spans/chat-api": "3d"})
LATER = load_policy({"spans": "3d", "spans/player-api": "10d"})
FOREVER = load_policy({"spans": "3d", "spans/player-api": "keep"})
HEADS = {"player-api": "PLAY", "chat-api": "CHAT", "world-api": "WRLD"}


def send(pipeline: Pipeline, component: str, number: int, at: datetime) -> None:
    ns = int(at.replace(tzinfo=UTC).timestamp() * 1e9)
    request = span_request(
        service=component,
        span=HEADS[component].encode() + number.to_bytes(4, "big"),
        start_time_unix_nano=ns,
        end_time_unix_nano=ns + 1_000,
    )
    pipeline.process([Incoming("spans", request.SerializeToString())])


@pytest.fixture
def filled(settings: Settings, keys: KeyStore, pipeline: Pipeline) -> Settings:
    """Six days, one span of each of three components a day, in two hours; all built."""
    for days in range(6):
        at = NOW - timedelta(days=days, minutes=30)
        send(pipeline, "player-api", days, at)
        send(pipeline, "chat-api", days, at)
        send(pipeline, "world-api", days, at - timedelta(hours=2))
    lake.drain(settings, keys)
    catalog = Catalog(settings.lake_path)
    catalog.clean(catalog.dirty_hours())
    catalog.close()
    return settings


def count(settings: Settings, keys: KeyStore) -> dict[str, int]:
    names = [str(r) for r in rows(settings, keys, "spans")]
    return {component: sum(component in name for name in names) for component in HEADS}


def test_the_plan_counts_a_components_rows_and_removes_nothing(
    filled: Settings, keys: KeyStore
) -> None:
    doomed = {d.rule: d for d in expiry.plan(filled, keys, EARLIER, NOW)}
    # 3 days before 12:30 of the 25th: the days up to the 21st are over, the 20th and the 21st have rows.
    chat = doomed["spans/chat-api"]
    assert (chat.rows, len(chat.files), len(chat.key_ids), chat.bytes) == (2, 4, 2, None)
    assert "spans" not in doomed
    assert count(filled, keys) == {"player-api": 6, "chat-api": 6, "world-api": 6}


def test_a_purged_component_day_is_gone_from_a_backup_and_leaves_a_receipt(
    filled: Settings, keys: KeyStore, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    shutil.copytree(filled.home, backup, ignore=shutil.ignore_patterns("keys"))
    assert found(backup / "lake", keys, "CHAT") == 6
    doomed = next(d for d in expiry.plan(filled, keys, EARLIER, NOW) if d.rule == "spans/chat-api")
    expiry.purge(filled, keys, EARLIER, NOW)
    receipt = next(r for r in expiry.receipts(filled, keys) if r.rule == "spans/chat-api")
    assert (receipt.rows, receipt.partitions) == (2, 4)
    assert receipt.keys_destroyed == doomed.key_ids
    assert (receipt.proof_rows, receipt.proof_files) == (0, 0)
    assert receipt.bytes and receipt.bytes > 0
    assert count(filled, keys) == {"player-api": 6, "chat-api": 4, "world-api": 6}
    for home in (filled.home, backup):
        assert found(home / "lake", keys, "CHAT") == 4, home
    assert found(filled.home / "lake", keys, "WRLD") == 6
    again = expiry.purge(filled, keys, EARLIER, NOW)
    assert [r.rule for r in again if r.rule.startswith("spans")] == []
    shutil.copytree(backup, filled.home, dirs_exist_ok=True)
    restored = KeyStore.open(filled.home)
    assert found(filled.home / "lake", restored, "CHAT") == 4
    expiry.purge(filled, restored, EARLIER, NOW)  # what nothing opens any more is off the list
    assert count(filled, restored)["chat-api"] == 4


def test_deleting_the_rows_under_the_same_key_would_leave_them_in_the_backup(
    filled: Settings, keys: KeyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = tmp_path / "backup"
    shutil.copytree(filled.home, backup, ignore=shutil.ignore_patterns("keys"))
    monkeypatch.setattr(KeyStore, "destroy_id", lambda *_: True)
    done = expiry.purge(filled, keys, EARLIER, NOW)
    assert found(backup / "lake", keys, "CHAT") == 6
    (receipt,) = [r for r in done if r.rule == "spans/chat-api"]
    assert receipt.proof_files == 2  # and the proof says so


def test_a_component_may_outlive_its_signal_for_a_while_or_for_good(
    filled: Settings, keys: KeyStore
) -> None:
    expiry.purge(filled, keys, LATER, NOW)
    assert count(filled, keys) == {"player-api": 6, "chat-api": 4, "world-api": 4}
    receipt = next(r for r in expiry.receipts(filled, keys) if r.rule == "spans")
    assert (receipt.rows, receipt.proof_rows, receipt.proof_files) == (4, 0, 0)
    later = NOW + timedelta(days=6)
    expiry.purge(filled, keys, FOREVER, later)
    assert count(filled, keys) == {"player-api": 6, "chat-api": 0, "world-api": 0}
    expiry.purge(filled, keys, LATER, NOW + timedelta(days=30))
    assert count(filled, keys) == {"player-api": 0, "chat-api": 0, "world-api": 0}
    assert [k for k in keys.ids() if k.startswith("lake.spans")] == []


def test_several_components_of_one_day_go_in_one_pass(filled: Settings, keys: KeyStore) -> None:
    policy = load_policy({"spans/chat-api": "3d", "spans/world-api": "3d"})
    done = {r.rule: r for r in expiry.purge(filled, keys, policy, NOW)}
    assert done["spans/chat-api"].rows == done["spans/world-api"].rows == 2
    assert {r.proof_rows + r.proof_files for r in done.values()} == {0}
    assert count(filled, keys) == {"player-api": 6, "chat-api": 4, "world-api": 4}
    catalog = Catalog(filled.lake_path)
    on_disk = {
        str(f.relative_to(filled.lake_path)) for f in filled.lake_path.rglob("spans/**/*.parquet")
    }
    assert on_disk == {f.path for f in catalog.files("spans")}
    living = {k for k in keys.ids() if k.startswith("lake.spans")}
    assert living == {f.key_id for f in catalog.files("spans")}


def test_late_rows_of_such_a_day_are_counted_and_not_stored(
    filled: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    expiry.purge(filled, keys, EARLIER, NOW)
    old = NOW - timedelta(days=5, minutes=30)
    send(pipeline, "chat-api", 99, old)
    send(pipeline, "world-api", 99, old - timedelta(hours=6))
    lake.drain(filled, keys)
    assert count(filled, keys) == {"player-api": 6, "chat-api": 4, "world-api": 6}
    reasons = [r[4] for r in rows(filled, keys, "ledger")]
    assert reasons.count("expired_hour") == 2
    catalog = Catalog(filled.lake_path)
    assert [d for d in catalog.dirty_hours() if d.signal == "spans"] == []
    base = {f"lake.spans/{old.date()}"}
    assert base & set(keys.ids()) == set()


def test_what_no_build_has_seen_waits(filled: Settings, keys: KeyStore, pipeline: Pipeline) -> None:
    send(pipeline, "world-api", 50, NOW - timedelta(days=5))
    lake.drain(filled, keys)
    expiry.purge(filled, keys, EARLIER, NOW)
    assert count(filled, keys)["chat-api"] == 5
    expiry.purge(filled, keys, EARLIER, NOW + timedelta(days=8))
    assert count(filled, keys)["chat-api"] == 0


@pytest.mark.parametrize("step", ["replace_day", "unlink", "destroy_id"])
def test_a_crash_at_any_step_is_finished_by_the_next_pass(
    step: str, filled: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object, **__: object) -> None:
        raise SystemExit("killed")

    owner = {"replace_day": Catalog, "unlink": Path, "destroy_id": KeyStore}[step]
    with monkeypatch.context() as patched:
        patched.setattr(owner, step, dies)
        with pytest.raises(SystemExit):
            expiry.purge(filled, keys, EARLIER, NOW)
    expiry.purge(filled, keys, EARLIER, NOW)
    assert count(filled, keys) == {"player-api": 6, "chat-api": 4, "world-api": 6}
    assert found(filled.home / "lake", keys, "CHAT") == 4
    old = {f"lake.spans/{(NOW - timedelta(days=n)).date()}" for n in (4, 5)}
    assert old & set(keys.ids()) == set()


def test_an_erasure_reaches_a_day_that_was_written_anew(filled: Settings, keys: KeyStore) -> None:
    expiry.purge(filled, keys, EARLIER, NOW)
    done = erasure.erase_rows(filled, keys, "somebody")
    assert (done.lake_rows, done.proof_rows) == (0, 0)
    (day,) = {f.day for f in Catalog(filled.lake_path).files("spans") if f.generation} & {
        (NOW - timedelta(days=5)).date()
    }
    mixed = component_expiry.mixed_days(filled, keys, EARLIER, "spans", NOW)
    assert next(d for d in mixed if d.day == day).leaving == {}


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ({"spam/chat-api": "3d"}, "spam"),
        ({"salts/chat-api": "3d"}, "rules by component"),
        ({"spans/": "3d"}, "name a component"),
        ({"spans/x' OR 1=1": "3d"}, "name a component"),
        ({"spans/chat-api": "1h"}, "48h"),
        ({"spans/chat-api": {"archive": "3d"}}, "archived"),
        ({"spans": {"archive": "20d"}}, "purged later"),
        ({"salts": {"archive": "3d"}}, "archived"),
        ({"spans": {"hot": "3d"}}, "archive and purge"),
    ],
)
def test_a_wrong_rule_says_what_is_wrong(rules: dict[str, object], named: str) -> None:
    with pytest.raises(RetentionProblem, match=named):
        load_policy(rules)


def test_rules_of_components_and_the_archive_come_from_the_settings(home: Path) -> None:
    rules = {"spans": {"archive": "7d", "purge": "90d"}, "logs/chat-api": "3d"}
    chosen = load_settings(home, retention={"rules": rules})
    policy = expiry.policy_of(chosen)
    assert policy.archive_cutoff("spans", NOW) == NOW - timedelta(days=7)
    assert policy.cutoff("spans", NOW) == NOW - timedelta(days=90)
    assert policy.components("logs") == {"chat-api": timedelta(days=3)}
    assert policy.archive_cutoff("logs", NOW) is None and policy.components("spans") == {}
