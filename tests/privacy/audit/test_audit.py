"""The audit log: tampering of five kinds at any place, crashes, several writers, expiry."""

import contextlib
import json
import multiprocessing
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingestion.settings import Settings
from privacy.audit.log import AuditLog, plain
from privacy.audit.verify import HeadProblem, read_heads, verify
from privacy.keys.state import FILE
from privacy.keys.store import KeyStore
from tests.clocks import WallClock
from tests.conftest import ROOT
from tta_monitor.cli import app

_COLUMNS = "seq, at, sealed, mac"
Rows = list[tuple[int, str, bytes, bytes]]


@pytest.fixture
def log(home: Path, keys: KeyStore) -> AuditLog:
    return AuditLog(home, keys)


def write(log: AuditLog, count: int) -> None:
    for number in range(count):
        log.append(actor="user:u1", action="export.csv", target=f"mart:{number}", rows=number)


def rows_of(home: Path) -> Rows:
    with sqlite3.connect(home / FILE) as db:
        return db.execute(f"SELECT {_COLUMNS} FROM audit_entries ORDER BY seq").fetchall()


def replace_rows(home: Path, rows: Rows) -> None:
    """What somebody with the file and without the keys can do."""
    with sqlite3.connect(home / FILE) as db:
        db.execute("PRAGMA synchronous=OFF")
        db.execute("DELETE FROM audit_entries")
        db.executemany("INSERT INTO audit_entries VALUES (?, ?, ?, ?)", rows)


def alone(home: Path) -> bytes:
    """The database as one file, without its write-ahead log."""
    with contextlib.closing(sqlite3.connect(home / FILE)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return (home / FILE).read_bytes()


def flipped(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << chance.randrange(8))]) + content[at + 1 :]


def edited(rows: Rows, at: int, chance: random.Random) -> Rows:
    seq, moment, sealed, mac = rows[at]
    which = chance.randrange(4)
    if which == 0:
        changed = (seq, moment, flipped(sealed, chance), mac)
    elif which == 1:
        changed = (seq, moment, sealed, flipped(mac, chance))
    elif which == 2:
        changed = (seq, moment.replace("2026", "2025"), sealed, mac)
    else:
        changed = (seq, moment, chance.randbytes(len(sealed)), chance.randbytes(32))
    return [*rows[:at], changed, *rows[at + 1 :]]


def renumbered(rows: Rows) -> Rows:
    return [(number, *row[1:]) for number, row in enumerate(rows, start=1)]


def deleted(rows: Rows, at: int, chance: random.Random) -> Rows:
    at = min(at, len(rows) - 2)
    left = [*rows[:at], *rows[at + 1 :]]
    return renumbered(left) if chance.random() < 0.5 else left


def inserted(rows: Rows, at: int, chance: random.Random) -> Rows:
    forged = (0, rows[at][1], chance.randbytes(200), chance.randbytes(32))
    strange = forged if chance.random() < 0.5 else chance.choice(rows)
    return renumbered([*rows[:at], strange, *rows[at:]])


def reordered(rows: Rows, at: int, chance: random.Random) -> Rows:
    other = chance.choice([n for n in range(len(rows)) if n != at])
    moved = list(rows)
    moved[at], moved[other] = moved[other], moved[at]
    return renumbered(moved)


def truncated(rows: Rows, at: int, chance: random.Random) -> Rows:
    return rows[:at]


@pytest.mark.parametrize("tamper", [edited, deleted, inserted, reordered, truncated])
def test_tampering_at_two_hundred_places_is_found_and_named(
    tamper: Callable[[Rows, int, random.Random], Rows], log: AuditLog, home: Path
) -> None:
    chance = random.Random(tamper.__name__)
    write(log, 40)
    rows = rows_of(home)
    assert verify(log).is_intact
    for _ in range(200):
        at = chance.randrange(len(rows))
        changed = tamper(rows, at, chance)
        replace_rows(home, changed)
        broken = verify(log).broken
        assert broken is not None
        assert broken.how == tamper.__name__, broken
        first = next(
            (n for n, (a, b) in enumerate(zip(rows, changed, strict=False), 1) if a != b),
            len(changed) + 1,
        )
        assert broken.seq == min(first, len(rows) + 1)
    replace_rows(home, rows)
    assert verify(log).is_intact


def test_an_end_cut_off_with_its_mark_is_found_by_the_exported_head(
    log: AuditLog, home: Path, tmp_path: Path
) -> None:
    write(log, 1)
    old = alone(home)
    write(log, 20)
    heads = log.export_head(tmp_path / "elsewhere")
    log.close()
    alone(home)
    (home / FILE).write_bytes(old)
    restored = AuditLog(home, KeyStore.open(home))
    assert verify(restored).is_intact  # The chain alone cannot know.
    broken = verify(restored, read_heads(restored, [heads])).broken
    assert broken is not None and (broken.seq, broken.how) == (2, "truncated")
    write(restored, 60)
    broken = verify(restored, read_heads(restored, [heads.parent])).broken
    assert broken is not None and broken.how == "edited"


def test_a_head_of_the_same_day_that_the_log_no_longer_contains_is_kept(
    log: AuditLog, home: Path, keys: KeyStore
) -> None:
    write(log, 3)
    file = log.export_head()
    write(log, 2)
    assert json.loads(log.export_head().read_text())["seq"] == 5
    evidence = file.read_bytes()
    log.close()
    alone(home)
    (home / FILE).unlink()
    fresh = AuditLog(home, keys)
    write(fresh, 9)
    assert fresh.export_head().read_bytes() == evidence
    assert not verify(fresh, read_heads(fresh, [file])).is_intact


@pytest.mark.parametrize("change", ["DELETE FROM audit_marks", "UPDATE audit_marks SET seq = 3"])
def test_writing_on_after_the_mark_of_the_end_was_touched_does_not_heal_it(
    log: AuditLog, home: Path, change: str
) -> None:
    write(log, 5)
    with sqlite3.connect(home / FILE) as db:
        db.execute(change)
    write(log, 3)
    broken = verify(log).broken
    assert broken is not None and broken.seq == 6


def test_an_entry_slipped_in_at_the_end_does_not_stop_the_log(log: AuditLog, home: Path) -> None:
    write(log, 3)
    replace_rows(home, [*rows_of(home), (4, "2026-01-01", b"x", b"y")])
    write(log, 2)
    broken = verify(log).broken
    assert broken is not None and broken.seq == 4
    assert [e.action for e in log.entries(limit=3)] == [
        "export.csv",
        "export.csv",
        "audit.unreadable",
    ]


def test_tables_dropped_and_bytes_overwritten_are_found(log: AuditLog, home: Path) -> None:
    write(log, 5)
    head = log.head()
    with sqlite3.connect(home / FILE) as db:
        db.execute("DROP TABLE audit_entries")
        db.execute("DROP TABLE audit_marks")
    log.close()
    emptied = AuditLog(home, KeyStore.open(home))
    broken = verify(emptied, [head]).broken
    assert broken is not None and (broken.seq, broken.how) == (1, "truncated")
    emptied.close()
    content = alone(home)
    (home / FILE).write_bytes(content[:100] + b"\xff" * (len(content) - 100))
    run = CliRunner().invoke(app, ["--home", str(home), "privacy", "verify"])
    assert run.exit_code == 1 and "cannot be read" in str(run.exception)


def test_a_forged_or_foreign_head_is_refused(log: AuditLog, tmp_path: Path) -> None:
    write(log, 2)
    file = log.export_head(tmp_path)
    found = json.loads(file.read_text())
    for changed in ({**found, "seq": 1}, {**found, "tag": "00" * 32}, {"seq": 1}, [], "x"):
        file.write_text(json.dumps(changed))
        with pytest.raises(HeadProblem, match=r"\.json"):
            read_heads(log, [tmp_path])
    with pytest.raises(HeadProblem, match="does not exist"):
        read_heads(log, [tmp_path / "nowhere"])


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
from privacy.audit.log import AuditLog
from privacy.keys.store import KeyStore
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


def test_the_command_names_the_first_broken_entry(settings: Settings, keys: KeyStore) -> None:
    home = settings.home
    log = AuditLog(home, keys)
    write(log, 6)
    run = CliRunner().invoke(app, ["--home", str(home), "privacy", "verify"])
    assert run.exit_code == 0 and "intact: 6 entries" in run.output
    assert "no exported head" in run.output
    log.export_head()
    run = CliRunner().invoke(app, ["--home", str(home), "privacy", "verify"])
    assert "1 exported heads agree" in run.output
    replace_rows(home, deleted(rows_of(home), 2, random.Random(1)))
    run = CliRunner().invoke(app, ["--home", str(home), "privacy", "verify"])
    assert run.exit_code == 1 and "entry 3 deleted" in run.output
    missing = CliRunner().invoke(
        app, ["--home", str(home), "privacy", "verify", "--heads", str(home / "none")]
    )
    assert missing.exit_code == 1 and "does not exist" in str(missing.exception)


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
