"""The audit log: what is searched, what is treated, crashes, several writers, expiry."""

import multiprocessing
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from privacy.audit.audit_log import AuditLog, plain
from privacy.audit.verify import verify
from privacy.keys.key_store import KeyStore
from privacy.keys.state import FILE
from tests.clocks import WallClock
from tests.conftest import ROOT


def write(log: AuditLog, count: int) -> None:
    for number in range(count):
        log.append(actor="user:u1", action="export.csv", target=f"mart:{number}", rows=number)


def test_search_is_newest_first_by_actor_action_target_outcome_and_time(
    home: Path, keys: KeyStore
) -> None:
    clock = WallClock(datetime(2026, 3, 1, 12, tzinfo=UTC))
    log = AuditLog(home, keys, clock)
    log.append(actor="user:u1", action="access.sign_in")
    clock.now += timedelta(hours=1)
    log.append(actor="user:u2", action="access.sign_in", outcome="refused", attempts=3)
    clock.now += timedelta(hours=1)
    log.append(actor="user:u1", action="export.csv", target="mart:fct", rows=9, whole=True)
    assert [e.seq for e in log.entries()] == [3, 2, 1]
    assert [e.seq for e in log.entries(actor="user:u1")] == [3, 1]
    assert [e.seq for e in log.entries(action="access.")] == [2, 1]
    assert [e.seq for e in log.entries(action="export.csv", target="mart:fct")] == [3]
    assert [e.details for e in log.entries(outcome="refused")] == [{"attempts": 3}]
    assert [e.seq for e in log.entries(since=clock.now - timedelta(hours=1), until=clock.now)] == [
        2
    ]
    assert len(log.entries(limit=2)) == 2
    assert log.entries(limit=1)[0].details == {"rows": 9, "whole": True}


def test_free_text_is_treated_before_it_is_written_and_ids_stay(log: AuditLog, home: Path) -> None:
    log.append(
        actor="user:u1",
        action="access.break_glass",
        reason="player=Amelie Okafor wrote from amelie@example.com, call 07700 900461",
        role="researcher",
        subject="p_00112233445566778899",
        expires_at="2026-03-01T12:30:00+00:00",
        digest="sha256:" + "0123456789" * 6 + "abcd",
    )
    (entry,) = log.entries()
    reason = str(entry.details["reason"])
    assert not any(word in reason for word in ("Amelie", "amelie", "07700"))
    assert entry.details["subject"] == "p_00112233445566778899"
    assert entry.details["expires_at"] == "2026-03-01T12:30:00+00:00"
    assert str(entry.details["digest"]).startswith("sha256:0123")
    raw = b"".join(f.read_bytes() for f in home.glob("state.db*"))
    assert b"researcher" not in raw and b"break_glass" not in raw and b"user:u1" not in raw


@pytest.mark.parametrize("text", ["eyJhbGciOi.x.y", "07700900461", "password=hunter2", "a@b.org"])
def test_what_looks_like_a_secret_or_a_number_of_a_person_is_no_constant(text: str) -> None:
    assert text not in plain(text)


def test_old_entries_expire_with_their_keys_and_the_chain_goes_on(
    home: Path, keys: KeyStore
) -> None:
    clock = WallClock(datetime(2026, 3, 1, 12, tzinfo=UTC))
    log = AuditLog(home, keys, clock)
    write(log, 10)
    early = log.head()
    clock.now += timedelta(days=65)
    write(log, 5)
    backup = shutil.copytree(home, home.with_name("backup"))
    assert log.expire(clock.now - timedelta(days=30)) == 10
    assert log.expire(clock.now - timedelta(days=30)) == 0
    assert [e.action for e in log.entries()] == ["audit.expire", *["export.csv"] * 5]
    assert verify(log, [early]).is_intact
    assert [d.isoformat() for d in keys.days("audit")] == ["2026-05-01"]
    # A backup of the data opens with today's keys only.
    shutil.rmtree(backup / "keys")
    shutil.copytree(home / "keys", backup / "keys")
    restored = AuditLog(backup, KeyStore.open(backup))
    assert {e.action for e in restored.entries()} == {"export.csv", "audit.unreadable"}
    with sqlite3.connect(home / FILE) as db:
        db.execute("DELETE FROM audit_marks WHERE name = 'start'")
    broken = verify(log).broken
    assert broken is not None and (broken.seq, broken.how) == (1, "deleted")


_WRITER = """
import sys
from pathlib import Path
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
home = Path(sys.argv[1])
log = AuditLog(home, KeyStore.open(home))
while True:
    print(log.append(actor="service:test", action="test.write"), flush=True)
"""


def test_killed_while_appending_nothing_acknowledged_is_lost(log: AuditLog, home: Path) -> None:
    acknowledged = 0
    for delay_s in (0.01, 0.04, 0.09):
        with subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(home)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as writer:
            assert writer.stdout is not None
            acknowledged = int(writer.stdout.readline())
            time.sleep(delay_s)
            writer.send_signal(signal.SIGKILL)
            lines = writer.stdout.read().split("\n")
        acknowledged = max([acknowledged, *(int(line) for line in lines[:-1] if line)])
        found = verify(log)
        assert found.is_intact
        assert acknowledged <= found.entries <= acknowledged + 1


def _append_many(home: str, count: int) -> None:
    write(AuditLog(Path(home), KeyStore.open(Path(home))), count)


def test_several_processes_append_to_one_chain(home: Path, keys: KeyStore) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append_many, args=(str(home), 40)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
        assert writer.exitcode == 0
    log = AuditLog(home, keys)
    assert verify(log).entries == 160
    assert verify(log).is_intact


@pytest.mark.parametrize(
    ("error", "outcome", "why"),
    [(None, "done", {}), (KeyError, "refused", {"why": "KeyError"}),
     (OSError, "failed", {"why": "OSError"}), (KeyboardInterrupt, "failed", {"why": "KeyboardInterrupt"})],
)  # fmt: skip
def test_the_entry_around_a_deed_says_how_it_went_and_quotes_nobody(
    log: AuditLog, error: type[BaseException] | None, outcome: str, why: dict[str, str]
) -> None:
    def deed() -> None:
        with log.around(KeyError, actor="user:u_1", action="a.b", target="t", verb="mend"):
            assert log.entries() == [], "nothing is called done before it is"
            if error:
                raise error("Eva Lindqvist")

    if error:
        with pytest.raises(error):
            deed()
    else:
        deed()
    (entry,) = log.entries()
    assert (entry.outcome, entry.details) == (outcome, {"verb": "mend"} | why)
