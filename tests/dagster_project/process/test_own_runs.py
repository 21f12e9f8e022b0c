"""Runs happen in our own process, one after another, and none stays unfinished for ever."""

import os
import threading
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.workspace.context import WorkspaceProcessContext

from dagster_project.process.dagster_home import ensure_dagster_home
from dagster_project.process.own_runs import OWNER_TAG, Worker, fail_dead_runs, ownership
from ingestion.processes.passes import PROCESS_ENDED
from tests.dagster_project.process import tiny_location
from tests.dagster_project.process.tiny_place import loaded


class Place:
    """An instance as `serve` has it, its worker, and the tiny location."""

    def __init__(self, instance: dg.DagsterInstance, context: WorkspaceProcessContext) -> None:
        self.instance, self.context = instance, context
        self.finished = threading.Semaphore(0)
        self.worker = Worker(
            instance, "owner", lambda _, events: list(events), self.finished.release
        )
        instance.run_launcher.employ(self.worker)

    def launch(self) -> str:
        location = self.context.create_request_context().get_code_location("tiny")
        repository = next(iter(location.get_repositories().values()))
        job = repository.get_full_job("two_steps")
        run = self.instance.create_run_for_job(
            tiny_location.two_steps,
            remote_job_origin=job.get_remote_origin(),
            job_code_origin=job.get_python_origin(),
        )
        self.instance.submit_run(run.run_id, self.context.create_request_context())
        return run.run_id

    def wait(self) -> None:
        assert self.finished.acquire(timeout=60)

    def status(self, run_id: str) -> dg.DagsterRunStatus:
        run = self.instance.get_run_by_id(run_id)
        assert run
        return run.status


@pytest.fixture
def place(settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("DAGSTER_HOME", str(ensure_dagster_home(settings)))
    tiny_location.GO_ON.clear()
    tiny_location.BEGAN.clear()
    tiny_location.DONE.clear()
    with dg.DagsterInstance.get() as instance, loaded(instance) as context:
        yield Place(instance, context)
        tiny_location.GO_ON.set()


def test_a_run_is_executed_here_and_costs_no_process(place: Place) -> None:
    tiny_location.GO_ON.set()
    place.worker.start()
    run_id = place.launch()
    place.wait()
    assert place.status(run_id) == dg.DagsterRunStatus.SUCCESS
    assert [("first", os.getpid()), ("second", os.getpid())] == tiny_location.DONE
    assert place.worker.is_idle


def test_the_second_run_waits_for_the_first(place: Place) -> None:
    place.worker.start()
    runs = [place.launch(), place.launch()]
    assert tiny_location.BEGAN.wait(60)
    assert place.status(runs[1]) == dg.DagsterRunStatus.STARTING
    assert not place.worker.is_idle
    tiny_location.GO_ON.set()
    place.wait()
    place.wait()
    assert {place.status(r) for r in runs} == {dg.DagsterRunStatus.SUCCESS}


def test_a_terminated_run_finishes_its_step_and_begins_no_other(place: Place) -> None:
    place.worker.start()
    run_id = place.launch()
    assert tiny_location.BEGAN.wait(60)
    assert place.instance.run_launcher.terminate(run_id)
    tiny_location.GO_ON.set()
    place.wait()
    assert place.status(run_id) == dg.DagsterRunStatus.CANCELED
    assert [name for name, _ in tiny_location.DONE] == ["first"]
    told = [e.dagster_event for e in place.instance.all_logs(run_id)]
    assert not any(e.is_step_failure for e in told if e)
    assert not place.instance.run_launcher.terminate(run_id)


def test_a_run_that_is_terminated_while_it_waits_never_begins(place: Place) -> None:
    run_id = place.launch()
    assert place.instance.run_launcher.terminate(run_id)
    place.worker.start()
    place.wait()
    assert place.status(run_id) == dg.DagsterRunStatus.CANCELED
    assert tiny_location.DONE == []


def test_what_a_dead_process_left_is_marked_failed_with_the_reason(place: Place, home) -> None:
    create = place.instance.create_run_for_job
    dead = create(
        tiny_location.two_steps, status=dg.DagsterRunStatus.STARTED, tags={OWNER_TAG: "gone"}
    )
    orphan = create(tiny_location.two_steps, status=dg.DagsterRunStatus.STARTING)
    with ownership(home) as owner:
        alive = create(
            tiny_location.two_steps, status=dg.DagsterRunStatus.STARTED, tags={OWNER_TAG: owner}
        )
        assert fail_dead_runs(place.instance, home, also_unowned=False) == 1
        assert place.status(orphan.run_id) == dg.DagsterRunStatus.STARTING
        assert fail_dead_runs(place.instance, home, also_unowned=True) == 1
        assert place.status(alive.run_id) == dg.DagsterRunStatus.STARTED
    assert fail_dead_runs(place.instance, home, also_unowned=False) == 1
    told = [entry.dagster_event for entry in place.instance.all_logs(dead.run_id)]
    assert any(PROCESS_ENDED in (event.message or "") for event in told if event)


def test_what_dead_processes_left_of_their_names_goes_with_the_next_start(home) -> None:
    owners = home / "dagster" / "owners"
    with ownership(home) as alive:
        (owners / "dead").touch()
        with ownership(home) as new:
            assert {f.name for f in owners.iterdir()} == {alive, new}
    assert list(owners.iterdir()) == []


def test_where_nothing_takes_runs_launching_one_says_so(place: Place) -> None:
    place.instance.run_launcher.employ(None)
    with pytest.raises(RuntimeError, match="monitor up"):
        place.launch()
