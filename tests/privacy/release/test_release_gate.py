"""Published exactly once, within budget, whatever is tried or killed."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from privacy.release import (
    Mechanism,
    Period,
    PeriodKind,
    ReleaseGate,
    ReleaseProblem,
    ReleaseRefused,
    statement,
)
from tests.conftest import ROOT
from tests.privacy.release.population import DAY, ROWS, SPEC, attempt, gate_of, small, table_spec


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
import privacy.release.release_gate as gate_module
from privacy.release.release_ledger import ReleaseLedger
from tests.privacy.release.population import DAY, ROWS, SPEC, gate_of

def die(*_arguments, **_options):
    os.kill(os.getpid(), signal.SIGKILL)

stage, home = sys.argv[1], Path(sys.argv[2])
if stage == "drawn":
    ReleaseLedger.append = die
elif stage == "inserted":
    import privacy.release.release_ledger as ledger_module
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
