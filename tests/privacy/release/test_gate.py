"""Published exactly once, within budget, whatever is tried, killed or altered."""

import json
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from privacy.audit.log import AuditLog
from privacy.keys.store import KeyStore
from privacy.release import (
    LedgerProblem,
    Mechanism,
    Period,
    PeriodKind,
    ReleaseGate,
    ReleaseProblem,
    ReleaseRefused,
    plan,
    statement,
)
from tests.conftest import ROOT
from tests.privacy.release.population import (
    DAY,
    ROWS,
    SPEC,
    attempt,
    gate_of,
    small,
    table_spec,
)


@pytest.fixture
def gate(home: Path) -> ReleaseGate:
    return gate_of(home)


def test_a_release_is_a_table_and_a_receipt_that_any_reader_finds_again(
    home: Path, gate: ReleaseGate
) -> None:
    released = gate.release(ROWS, SPEC, DAY)
    table = released.counts
    assert table.column_names == [
        "mart", "period", "level", "site", "cohort", "count", "low", "high", "reason",
        "suppressed_cells",
    ]  # fmt: skip
    assert table.num_rows == 32 + 1 + 4 + 8
    assert released.receipt.epsilon == 0.5 and released.receipt.contribution_bound == 1
    assert released.receipt.spec_digest == SPEC.digest
    assert json.loads(table.schema.metadata[b"receipt"])["mart"] == SPEC.mart
    assert b"epsilon 0.5 per person" in table.schema.metadata[b"limits"]
    again = gate_of(home).ledger.find(SPEC.mart, DAY)
    assert again == released and again.counts.equals(table)
    assert gate_of(home).ledger.released(SPEC.mart) == [released]
    assert released.statistics.num_rows == 0
    assert gate.ledger.verify() == 1


def test_the_second_release_of_a_period_is_refused_100_of_100_whatever_comes(
    gate: ReleaseGate,
) -> None:
    first = gate.release(ROWS, SPEC, DAY)
    refused = 0
    for turn in range(100):
        rows = ROWS.filter(ROWS["subject"] != f"p_{turn}")
        spec = SPEC if turn % 2 else replace(SPEC, epsilon=0.01, threshold=10 + turn)
        with pytest.raises(ReleaseRefused, match="published already") as caught:
            gate.release(rows, spec, DAY)
        refused += caught.value.reason == "published"
    assert refused == 100
    assert gate.ledger.released(SPEC.mart) == [first]


def test_over_budget_is_refused_100_of_100(gate: ReleaseGate) -> None:
    for week in range(10, 14):
        gate.release(ROWS, small("weekly", PeriodKind.WEEK, 1.5), Period.parse(f"2026-W{week}"))
    refused = 0
    for turn in range(100):
        spec = small(f"more_{turn}", PeriodKind.DAY, 0.301 + turn / 50)
        with pytest.raises(ReleaseRefused, match=r"of 6\.3 allowed") as caught:
            gate.release(ROWS, spec, Period.parse("2026-03-20"))
        refused += caught.value.reason == "budget"
    assert refused == 100
    # What is left exactly still fits: sums are of integers, not of floats.
    gate.release(ROWS, small("rest", PeriodKind.DAY, 0.3), Period.parse("2026-03-20"))


@pytest.mark.slow
def test_processes_that_race_publish_once_and_stay_within_budget(home: Path) -> None:
    KeyStore.open(home, create=True)
    same = [(str(home), "players", 0.1)] * 101
    other = [(str(home), f"mart_{i}", 3.1) for i in range(101)]
    jobs = [job for pair in zip(same, other, strict=True) for job in pair]
    with ProcessPoolExecutor(4, multiprocessing.get_context("spawn")) as pool:
        outcomes = list(pool.map(attempt, jobs, chunksize=1))
    # 0.1 + 3.1 + 3.1 is 6.3: one of the hundred-and-one fits twice, the rest are refused.
    assert sorted(outcomes[0::2]) == ["published"] * 100 + ["released"]
    assert sorted(outcomes[1::2]) == ["budget"] * 99 + ["released"] * 2
    assert gate_of(home).ledger.verify() == 3


def test_a_person_who_is_erased_changes_nothing_that_was_published(gate: ReleaseGate) -> None:
    first = gate.release(ROWS, SPEC, DAY)
    erased = ROWS.filter(ROWS["subject"] != "p_0")
    assert gate.release_or_find(lambda: erased, SPEC, DAY) == first
    with pytest.raises(ReleaseRefused):
        gate.release(erased, SPEC, DAY)
    assert gate.ledger.find(SPEC.mart, DAY).counts.equals(first.counts)


def test_a_job_that_runs_again_reads_no_rows_for_what_is_published(gate: ReleaseGate) -> None:
    first = gate.release_or_find(lambda: ROWS, SPEC, DAY)
    assert gate.release_or_find(lambda: pytest.fail("rows were read"), SPEC, DAY) == first


def test_a_period_that_is_not_over_or_of_another_kind_is_refused(home: Path) -> None:
    early = ReleaseGate(
        home, KeyStore.open(home, create=True), now=lambda: datetime(2026, 3, 2, 23, tzinfo=UTC)
    )
    with pytest.raises(ReleaseRefused, match="not over"):
        early.release(ROWS, SPEC, DAY)
    with pytest.raises(ReleaseRefused, match="by day"):
        early.release(ROWS, SPEC, Period.parse("2026-W05"))
    assert early.ledger.entries() == []


def test_rows_that_do_not_fit_spend_nothing(gate: ReleaseGate) -> None:
    with pytest.raises(ReleaseProblem):
        gate.release(ROWS.drop("cohort"), SPEC, DAY)
    assert gate.ledger.entries() == []
    gate.release(ROWS, SPEC, DAY)


def test_releases_and_refusals_are_told_to_the_audit_log_without_counts(home: Path) -> None:
    told: list[dict[str, object]] = []
    gate = gate_of(home, audit=lambda **entry: told.append(entry))
    released = gate.release(ROWS, SPEC, DAY, actor="dagster")
    with pytest.raises(ReleaseRefused):
        gate.release(ROWS, SPEC, DAY, actor="dagster")
    assert [t["outcome"] for t in told] == ["done", "refused"]
    assert all(
        (t["action"], t["target"]) == ("release.publish", f"{SPEC.mart}/2026-03-02") for t in told
    )
    assert told[0]["entry_digest"] == released.receipt.entry_digest
    assert told[1]["reason"] == "published"


def test_the_audit_log_takes_what_the_gate_tells_it(home: Path, keys: KeyStore) -> None:
    log = AuditLog(home, keys)
    gate = gate_of(home, audit=log.append)
    gate.release(ROWS, SPEC, DAY)
    with pytest.raises(ReleaseRefused):
        gate.release(ROWS, SPEC, DAY)
    assert sorted(entry.outcome for entry in log.entries()) == ["done", "refused"]


def test_k_anonymity_needs_the_site_s_choice_states_no_epsilon_and_says_what_it_is_not(
    home: Path, gate: ReleaseGate
) -> None:
    spec = table_spec("exact", mechanism=Mechanism.K_ANONYMITY)
    with pytest.raises(ReleaseRefused, match="allow_k_anonymity"):
        gate.release(ROWS, spec, DAY)
    chosen = gate_of(home, allow_k_anonymity=True)
    released = chosen.release(ROWS, spec, DAY)
    assert "does not withstand" in released.result.limits
    assert b"does not withstand" in released.counts.schema.metadata[b"limits"]
    assert released.receipt.epsilon is None
    with pytest.raises(ReleaseRefused, match="published already"):
        chosen.release(ROWS, spec, DAY)
    found = statement(chosen.ledger.entries(), 6.3, DAY.last)
    assert found.without_bound == ("exact",) and found.spent == 0
    assert "no epsilon can be stated" in found.text


# A process that kills itself at one point of a release; `STAGE` is set by the test.
_CHILD = """
import os, signal, sys
from pathlib import Path
import privacy.release.gate as gate_module
from privacy.release.ledger import ReleaseLedger
from tests.privacy.release.population import DAY, ROWS, SPEC, gate_of

def die(*_arguments, **_options):
    os.kill(os.getpid(), signal.SIGKILL)

stage, home = sys.argv[1], Path(sys.argv[2])
if stage == "drawn":
    ReleaseLedger.append = die
elif stage == "inserted":
    import privacy.release.ledger as ledger_module
    from contextlib import contextmanager

    @contextmanager
    def never_committed(db):
        db.execute("BEGIN IMMEDIATE")
        yield
        die()

    ledger_module.transaction = never_committed
elif stage == "committed":
    ReleaseLedger.note_head = lambda self: die() if self.entries() else None
gate = gate_of(home, audit=die if stage == "noted" else None)
gate.release(ROWS, SPEC, DAY)
"""


@pytest.mark.parametrize(
    ("stage", "is_published"),
    [("drawn", False), ("inserted", False), ("committed", True), ("noted", True)],
)
def test_a_kill_at_any_point_leaves_one_draw_or_none(
    home: Path, stage: str, is_published: bool
) -> None:
    KeyStore.open(home, create=True)
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, stage, str(home)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    gate = gate_of(home)
    found = gate.ledger.find(SPEC.mart, DAY)
    assert (found is not None) == is_published
    if found is None:
        gate.release(ROWS, SPEC, DAY)
    with pytest.raises(ReleaseRefused, match="published already"):
        gate.release(ROWS, SPEC, DAY)
    assert found in (None, gate.ledger.find(SPEC.mart, DAY))
    assert gate.ledger.verify() == 1


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
