"""The ledger of releases: altered, restored, damaged, and what it says is spent."""

import sqlite3
from datetime import date, timedelta
from pathlib import Path

import pytest

from privacy.release import (
    LedgerProblem,
    Period,
    PeriodKind,
    ReleaseGate,
    ReleaseRefused,
    plan,
    statement,
)
from tests.privacy.release.population import DAY, ROWS, SPEC, gate_of, small


def three_releases(gate: ReleaseGate) -> None:
    for mart in ("one", "two", "three"):
        gate.release(ROWS, small(mart, PeriodKind.DAY, 0.1), DAY)


def altered(home: Path, *statements: str) -> None:
    db = sqlite3.connect(home / "state.db")
    for name in ("updated", "deleted"):
        db.execute(f"DROP TRIGGER release_ledger_is_not_{name}")
    for statement_ in statements:
        db.execute(statement_)
    db.commit()
    db.close()


@pytest.mark.parametrize(
    ("tampering", "said"),
    [
        ("UPDATE release_ledger SET micro_epsilon = 1 WHERE seq = 2", "entry 2"),
        ("UPDATE release_ledger SET mart = 'other' WHERE seq = 1", "entry 1"),
        ("UPDATE release_ledger SET released_at = '2020-01-01' WHERE seq = 3", "entry 3"),
        ("DELETE FROM release_ledger WHERE seq = 2", "entry 2"),
        ("DELETE FROM release_ledger WHERE seq = 3", "cut short"),
        ("DELETE FROM release_ledger", "cut short"),
        ("UPDATE release_ledger SET seq = seq + 10", "entry 1"),
        (
            "UPDATE release_ledger SET sealed_result = (SELECT sealed_result FROM release_ledger "
            "WHERE seq = 1) WHERE seq = 2",
            "result of two",
        ),
    ],
)
def test_an_altered_ledger_is_found_and_nothing_is_released_from_it(
    home: Path, gate: ReleaseGate, tampering: str, said: str
) -> None:
    three_releases(gate)
    altered(home, tampering)
    with pytest.raises(LedgerProblem, match=said):
        gate.ledger.verify()
    if "sealed_result" not in tampering:
        with pytest.raises(LedgerProblem):
            gate.release(ROWS, SPEC, DAY)


def test_the_database_itself_refuses_to_change_an_entry(home: Path, gate: ReleaseGate) -> None:
    three_releases(gate)
    db = sqlite3.connect(home / "state.db")
    for tampering in ("DELETE FROM release_ledger", "UPDATE release_ledger SET mart = 'x'"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            db.execute(tampering)


def test_a_ledger_restored_from_a_backup_does_not_forget_what_was_released(
    home: Path, gate: ReleaseGate, tmp_path: Path
) -> None:
    gate.release(ROWS, small("one", PeriodKind.DAY, 0.1), DAY)
    backup = sqlite3.connect(tmp_path / "backup.db")
    with sqlite3.connect(home / "state.db") as live:
        live.backup(backup)
    gate.release(ROWS, SPEC, DAY)
    with sqlite3.connect(home / "state.db") as live:
        backup.backup(live)
    with pytest.raises(LedgerProblem, match="restored from a backup"):
        gate_of(home).release(ROWS, SPEC, DAY)


def test_a_damaged_head_is_named(home: Path, gate: ReleaseGate) -> None:
    three_releases(gate)
    (home / "keys" / "release.head").write_text("?")
    with pytest.raises(LedgerProblem, match=r"release\.head"):
        gate.release(ROWS, SPEC, DAY)


def test_the_budget_is_that_of_any_28_days_in_whatever_order_periods_come(
    gate: ReleaseGate,
) -> None:
    daily = small("daily", PeriodKind.DAY, 2.0)
    for day in ("2026-04-01", "2026-03-01", "2026-03-15"):
        gate.release(ROWS, daily, Period.parse(day))
    # 15 March to 11 April would hold 15 March, 1 April and two more days: 8 of 6.3.
    gate.release(ROWS, daily, Period.parse("2026-03-20"))
    with pytest.raises(ReleaseRefused, match="8 in the 28 days"):
        gate.release(ROWS, daily, Period.parse("2026-03-16"))
    gate.release(ROWS, daily, Period.parse("2026-05-01"))


def test_the_recommended_marts_cost_6_3_in_plan_and_in_truth(gate: ReleaseGate) -> None:
    weekly = [small(name, PeriodKind.WEEK, 0.25) for name in ("sites", "durations", "completion")]
    specs = [
        small("daily", PeriodKind.DAY, 0.1), *weekly, small("monthly", PeriodKind.MONTH, 0.5)
    ]  # fmt: skip
    planned = plan(specs)
    assert planned.total == 6.3 and planned.fits
    assert not plan([*specs, small("more", PeriodKind.MONTH, 0.01)]).fits
    days = [date(2026, 2, 2) + timedelta(days=i) for i in range(56)]
    for spec in specs:
        for period in dict.fromkeys(Period.containing(spec.period, day) for day in days):
            gate.release(ROWS, spec, period)
    found = statement(gate.ledger.entries(), 6.3, date(2026, 3, 1))
    assert found.most == 6.3 and found.spent == 6.3 and found.left == 0
    assert found.most_by_activity > found.most
    assert [line.mart for line in found.marts] == sorted(s.mart for s in specs)
    assert next(m for m in found.marts if m.mart == "daily").epsilon_in_window == 2.8
    assert "6.3 of 6.3" in found.text


def test_an_empty_ledger_has_spent_nothing() -> None:
    found = statement([], 6.3, DAY.last)
    assert (found.spent, found.most, found.most_by_activity, found.left) == (0, 0, 0, 6.3)
    assert found.marts == ()
