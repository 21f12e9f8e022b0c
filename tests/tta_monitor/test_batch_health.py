"""`status` and `doctor` say what is wrong with the batch side."""

from datetime import UTC, datetime, timedelta

import pytest

from ingestion.processes import passes
from tta_monitor.running.supervise import ProcessState
from tta_monitor.watching import batch_health, doctor

RUNNING = [ProcessState("dagster", "running", 1, None, 3_600, None)]


def _pass(home, *failed: str, reason: str = "") -> None:
    with passes.one_pass(home):
        begun = passes.begin(home, "batch", datetime.now(UTC) - timedelta(seconds=5))
        passes.end(home, begun, passes.PassEnd([*failed], [reason]), datetime.now(UTC))


def _of_doctor(settings) -> tuple[str, str]:
    return next((d.level, d.message) for d in doctor.examine(settings) if d.name == "batch")


def test_a_failed_pass_is_told_by_both(settings) -> None:
    passes.note(settings.home, seen_at=datetime.now(UTC))
    _pass(settings.home, "marts", reason="the disk is full")
    (told,) = batch_health.problems(settings, RUNNING)
    assert "marts: the disk is full." in told
    assert _of_doctor(settings) == ("fail", told)


def test_a_batch_process_that_says_nothing_is_wrong_only_while_it_should_run(settings) -> None:
    (told,) = batch_health.problems(settings, RUNNING)
    assert "has not been heard of" in told
    assert batch_health.problems(settings, []) == []


def test_a_home_that_is_well_tells_its_latest_pass(settings) -> None:
    assert _of_doctor(settings) == ("ok", "no pass has run yet")
    _pass(settings.home)
    level, message = _of_doctor(settings)
    assert level == "ok" and message.endswith("UTC took 5 s")


def test_asking_costs_no_dagster(settings) -> None:
    import subprocess
    import sys

    words = "import sys, tta_monitor.watching.batch_health; print('dagster' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


@pytest.fixture(autouse=True)
def _nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def states(settings):
        raise doctor.Problem("nothing runs", code=1)

    monkeypatch.setattr(doctor.supervise, "states", states)
