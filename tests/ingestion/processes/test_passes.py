"""What the batch side says about itself, and whether that is well."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from ingestion.processes import passes

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=5)


def _kinds(settings, **more) -> set[str]:
    arguments = {"now": NOW, "began_at": LONG_AGO, **more}
    return {p.kind for p in passes.problems(settings, **arguments)}


def _run(home, *, failed: list[str] = (), reasons: list[str] = (), job: str = "batch") -> None:
    with passes.one_pass(home):
        begun = passes.begin(home, job, NOW)
        passes.end(home, begun, passes.PassEnd(list(failed), list(reasons)), NOW)


def _publish(settings, at: datetime) -> None:
    path = settings.published_path("operations")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (at.timestamp(), at.timestamp()))


@pytest.fixture
def well(settings):
    """A home whose batch side lives, has published, and has nothing to do."""
    passes.note(settings.home, seen_at=NOW)
    _publish(settings, NOW)
    return settings


def test_a_home_that_is_well_has_no_problem(well) -> None:
    _run(well.home)
    assert _kinds(well) == set()


def test_a_failed_pass_is_a_problem_with_its_reason_until_one_succeeds(well) -> None:
    _run(well.home, failed=["marts"], reasons=["the disk is full"])
    (problem,) = passes.problems(well, NOW, LONG_AGO)
    assert (problem.kind, problem.reason) == (
        "BatchFailed", "the batch pass of 12:00 UTC failed: marts: the disk is full",
    )  # fmt: skip
    _run(well.home, job="retention")
    assert _kinds(well) == {"BatchFailed"}
    _run(well.home)
    assert _kinds(well) == set()


def test_a_pass_whose_process_is_gone_has_failed(well) -> None:
    passes.begin(well.home, "batch", NOW)
    assert passes.read_health(well.home).latest().reason == passes.PROCESS_ENDED
    assert _kinds(well) == {"BatchFailed"}


def test_a_pass_that_runs_is_running(well) -> None:
    with passes.one_pass(well.home):
        passes.begin(well.home, "batch", NOW)
        assert passes.is_pass_running(well.home)
        assert passes.read_health(well.home).running()
        assert _kinds(well) == set()
    assert not passes.is_pass_running(well.home)


def test_a_pass_that_was_stopped_with_the_product_has_not_failed(well) -> None:
    passes.begin(well.home, "batch", NOW)
    passes.interrupt(well.home, "the product was stopped")
    assert [p.outcome for p in passes.read_health(well.home).passes] == ["canceled"]
    assert _kinds(well) == set()


def test_the_next_pass_closes_what_a_dead_one_left_open(well) -> None:
    passes.begin(well.home, "batch", NOW)
    _run(well.home)
    assert [p.outcome for p in passes.read_health(well.home).passes] == ["failed", "ok"]


def test_code_that_does_not_load_and_a_stopped_schedule_are_problems(well) -> None:
    passes.note(well.home, location_problem="no definitions", schedule_problem="stopped")
    assert _kinds(well) == {"CodeLocationBroken", "BatchStopped"}
    passes.note(well.home, location_problem="", schedule_problem="")
    assert _kinds(well) == set()


def test_a_silent_batch_process_is_a_problem_only_while_it_should_run(well) -> None:
    passes.note(well.home, seen_at=NOW - timedelta(minutes=6))
    assert _kinds(well) == {"BatchStopped"}
    assert _kinds(well, began_at=NOW - timedelta(minutes=1)) == set()
    assert _kinds(well, began_at=None) == set()


def test_marts_older_than_two_intervals_are_stale_while_something_waits(well) -> None:
    _publish(well, NOW - timedelta(minutes=11))
    assert _kinds(well) == set()
    passes.note(well.home, pending="12 received batches wait")
    assert _kinds(well) == {"MartsStale"}
    assert _kinds(well, began_at=NOW - timedelta(minutes=9)) == set()
    _publish(well, NOW - timedelta(minutes=9))
    assert _kinds(well) == set()


def test_marts_that_were_never_published_are_stale_too(well) -> None:
    well.published_path("operations").unlink()
    passes.note(well.home, pending="12 received batches wait")
    assert _kinds(well) == {"MartsStale"}


@pytest.mark.parametrize("content", ["", "{", "[]", json.dumps({"passes": 3})])
def test_an_unreadable_record_is_nothing_and_is_written_anew(settings, content: str) -> None:
    path = settings.home / "run" / "passes.json"
    path.parent.mkdir()
    path.write_text(content)
    assert passes.read_health(settings.home) == passes.BatchHealth()
    _run(settings.home)
    assert len(passes.read_health(settings.home).passes) == 1


def test_the_record_is_bounded(settings) -> None:
    for _ in range(60):
        _run(settings.home)
    assert len(passes.read_health(settings.home).passes) == 50
