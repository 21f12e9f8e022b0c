"""The daily pass: caught up when nothing ran in time, told to the audit log once, nothing vital destroyed."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from dagster_project.defs.home import Home
from dagster_project.defs.retention import retention_catch_up
from dagster_project.retention import daily as retention_pass
from dagster_project.retention.daily import catch_up, is_due, run_pass
from dagster_project.retention.erasure import erase
from ingestion.expiry import plan as expiry
from ingestion.lake import drain as lake
from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.settings import Settings
from privacy.access.identities import Identities
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from privacy.retention import receipts
from privacy.retention.retention_policy import RetentionProblem, load_policy
from tests.dagster_project.retention.test_mart_erasure import SUBJECT
from tests.dagster_project.retention.test_mart_erasure import send as send_person
from tests.ingestion.expiry.test_expiry import send
from tests.ingestion.lake.test_lake import rows

NOON = datetime(2026, 11, 25, 12)
DAY = timedelta(days=1)


@pytest.fixture
def aged(settings: Settings, keys: KeyStore, pipeline: Pipeline) -> Settings:
    for days in (1, 20, 30):
        send(pipeline, days, NOON - timedelta(days=days))
    lake.drain(settings, keys)
    return settings


@pytest.mark.parametrize(
    ("done", "now", "due"),
    [
        (NOON, NOON, False),
        (NOON - DAY, NOON, True),
        (datetime(2026, 11, 25, 0, 11), NOON, False),
        (datetime(2026, 11, 25, 0, 9), NOON, True),
        (datetime(2026, 11, 24, 0, 11), datetime(2026, 11, 25, 0, 9, 59), False),
        (datetime(2026, 11, 24, 0, 11), datetime(2026, 11, 25, 0, 10), True),
        (NOON - 40 * DAY, NOON, True),
    ],
)
def test_a_pass_is_due_when_the_latest_hour_of_the_schedule_went_by_without_one(
    done: datetime, now: datetime, due: bool, settings: Settings
) -> None:
    receipts.note_pass(settings.home, done)
    assert is_due(settings.home, now) is due


def test_the_schedules_own_run_gets_its_time(settings: Settings) -> None:
    receipts.note_pass(settings.home, datetime(2026, 11, 24, 0, 11))
    grace = timedelta(minutes=20)
    assert not is_due(settings.home, datetime(2026, 11, 25, 0, 29), grace)
    assert is_due(settings.home, datetime(2026, 11, 25, 0, 30), grace)


def test_a_new_home_counts_from_its_first_look(settings: Settings) -> None:
    assert not is_due(settings.home, NOON)
    assert not is_due(settings.home, NOON + timedelta(hours=12))
    assert is_due(settings.home, NOON + timedelta(hours=13))


def test_what_a_sleeping_schedule_missed_is_removed_once(aged: Settings, keys: KeyStore) -> None:
    receipts.note_pass(aged.home, NOON - 3 * DAY)
    said: list[str] = []
    done = catch_up(aged, keys, NOON, said.append)
    assert done is not None and "spans" in {r.rule for r in done}
    assert said == ["removing what is past its time"]
    assert len(rows(aged, keys, "spans")) == 1
    assert catch_up(aged, keys, NOON) is None
    assert catch_up(aged, keys, NOON + DAY) is not None


def test_a_pass_that_dies_is_due_again(
    aged: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise SystemExit("killed")

    receipts.note_pass(aged.home, NOON - DAY)
    with monkeypatch.context() as patched:
        patched.setattr(retention_pass, "expire", dies)
        with pytest.raises(SystemExit):
            catch_up(aged, keys, NOON)
    assert is_due(aged.home, NOON)
    assert catch_up(aged, keys, NOON) is not None


def test_each_purge_is_an_entry_with_rows_bytes_keys_and_proof(
    aged: Settings, keys: KeyStore
) -> None:
    done = run_pass(aged, keys, load_policy(), NOON, by="user:u_1")
    log = AuditLog(aged.home, keys)
    entries = {e.target: e for e in log.entries(action="retention.purge")}
    assert set(entries) == {r.rule for r in done}
    spans, receipt = entries["spans"], next(r for r in done if r.rule == "spans")
    assert (spans.actor, spans.outcome) == ("user:u_1", "done")
    assert spans.details["rows"] == receipt.rows == 2
    assert spans.details["bytes"] == receipt.bytes
    assert spans.details["keys_destroyed"] == len(receipt.keys_destroyed) == 2
    assert spans.details["proof"] == 0
    run_pass(aged, keys, load_policy(), NOON)
    assert len(log.entries(action="retention.purge")) == len(done)


def test_an_entry_that_a_crash_prevented_is_written_by_the_next_pass(
    aged: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    expiry.purge(aged, keys, load_policy(), NOON)  # the process died before it told anybody
    run_pass(aged, keys, load_policy(), NOON + timedelta(hours=1))
    log = AuditLog(aged.home, keys)
    assert "spans" in {e.target for e in log.entries(action="retention.purge")}


def test_a_purge_that_left_something_is_a_failed_entry(settings: Settings, keys: KeyStore) -> None:
    left = receipts.Receipt("r/1", NOON, "spans", NOON, 1, 5, 10, (), 5, 1)
    receipts.write(settings.home, keys, left)
    log = AuditLog(settings.home, keys)
    receipts.tell(settings.home, keys, log, by="service:retention", now=NOON)
    (entry,) = log.entries(action="retention.purge")
    assert (entry.outcome, entry.details["proof"]) == ("failed", 6)


def test_an_erasure_is_an_entry_that_names_nobody(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    send_person(pipeline, 2, SUBJECT)
    receipt = erase(settings, keys, SUBJECT, datetime.now(UTC).replace(tzinfo=None))
    (entry,) = AuditLog(settings.home, keys).entries(action="privacy.erase")
    assert (entry.actor, entry.outcome, entry.details["rows"]) == ("os:owner", "done", receipt.rows)
    assert receipt.rows > 0 and entry.details["proof"] == 0
    assert SUBJECT not in str(entry)


def test_the_audit_log_itself_goes_after_two_years(settings: Settings, keys: KeyStore) -> None:
    old = AuditLog(settings.home, keys, clock=lambda: datetime(2024, 10, 1, tzinfo=UTC))
    old.append(actor="user:u_1", action="access.sign_in")
    young = AuditLog(settings.home, keys, clock=lambda: datetime(2025, 10, 1, tzinfo=UTC))
    young.append(actor="user:u_2", action="access.sign_in")
    run_pass(settings, keys, load_policy(), NOON)
    kept = AuditLog(settings.home, keys).entries(action="access.sign_in")
    assert [e.actor for e in kept] == ["user:u_2"]


def test_a_decade_later_accounts_open_and_releases_can_be_read(
    settings: Settings, keys: KeyStore
) -> None:
    Identities(settings.home, keys, AuditLog(settings.home, keys))
    old = date(2016, 1, 1)
    for dataset in ("state.access", "state.release"):
        keys.data_key(dataset, old)
    keys.data_key("pseudonym.operations", old)
    run_pass(settings, keys, load_policy(), NOON)
    assert keys.days("pseudonym.operations") == []
    assert keys.days("state.access") == keys.days("state.release") == [old]


@pytest.mark.parametrize("name", ["state.access", "state.release", "access", "release"])
def test_no_rule_may_destroy_the_keys_of_accounts_and_releases(name: str) -> None:
    with pytest.raises(RetentionProblem, match=r"kept for good, because .* remove the rule"):
        load_policy({name: "30d"})


def test_the_sensor_asks_for_a_run_when_one_was_missed(settings: Settings) -> None:
    home = Home(lambda: settings, clock=lambda: NOON.replace(tzinfo=UTC))
    receipts.note_pass(settings.home, NOON)
    assert isinstance(retention_catch_up(dg.build_sensor_context(), home=home), dg.SkipReason)
    receipts.note_pass(settings.home, NOON - 2 * DAY)
    asked = retention_catch_up(dg.build_sensor_context(), home=home)
    assert isinstance(asked, dg.RunRequest) and asked.run_key == "retention-2026-11-25T12"
