"""Tampering of five kinds at any place of the audit log is found and named."""

import contextlib
import json
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingestion.settings import Settings
from privacy.audit.audit_log import AuditLog
from privacy.audit.verify import HeadProblem, read_heads, verify
from privacy.keys.key_store import KeyStore
from privacy.keys.state import FILE
from tests.privacy.audit.test_audit import write
from tta_monitor.cli import app

_COLUMNS = "seq, at, sealed, mac"
Rows = list[tuple[int, str, bytes, bytes]]


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
