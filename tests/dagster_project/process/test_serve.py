"""The one Dagster process: what it says about itself, and that it may die at any moment."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dagster as dg
import pytest

from dagster_project import definitions
from dagster_project.marts.manifest import ManifestProblem
from dagster_project.process import serve
from dagster_project.process.dagster_home import dagster_environment, ensure_dagster_home
from ingestion.processes import passes
from tests.conftest import ROOT
from tests.dagster_project.process.tiny_place import loaded


@pytest.fixture
def instance(settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DAGSTER_HOME", str(ensure_dagster_home(settings)))
    monkeypatch.setenv("DAGSTER_REDACT_USER_CODE_ERRORS", "1")
    monkeypatch.setattr(serve, "LOCATION", "tiny")
    with dg.DagsterInstance.get() as made:
        yield made


def test_a_schedule_that_somebody_stops_is_told_and_one_that_runs_is_not(
    settings, instance
) -> None:
    with loaded(instance) as context:
        serving = serve.Serving(settings, instance, context)
        serve._look(serving)
        assert passes.read_health(settings.home).schedule_problem == ""
        location = context.create_request_context().get_code_location("tiny")
        (schedule,) = next(iter(location.get_repositories().values())).get_schedules()
        instance.stop_schedule(schedule.get_remote_origin_id(), schedule.selector_id, schedule)
        serve._look(serving)
        assert "often was stopped" in passes.read_health(settings.home).schedule_problem
        instance.start_schedule(schedule)
        serve._look(serving)
        assert passes.read_health(settings.home).schedule_problem == ""


def test_definitions_that_do_not_load_are_told_with_their_reason_until_they_do(
    settings, instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> dg.Definitions:
        raise ManifestProblem("the dbt project does not parse")

    monkeypatch.setattr(definitions, "defs", broken)
    with loaded(instance, "tests.dagster_project.process.broken_location") as context:
        serve._look(serve.Serving(settings, instance, context))
    told = passes.read_health(settings.home).location_problem
    assert "the dbt project does not parse" in told
    with loaded(instance) as context:
        serve._look(serve.Serving(settings, instance, context))
    assert passes.read_health(settings.home).location_problem == ""


def test_reloading_on_dagsters_page_loses_no_definitions(settings, instance) -> None:
    with loaded(instance) as context:
        context.reload_workspace()
        context.reload_code_location("tiny")
        assert context.create_request_context().get_location_entry("tiny").load_error is None
        serve._look(serve.Serving(settings, instance, context))
    assert passes.read_health(settings.home).location_problem == ""


def _until(is_so: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 240
    while not is_so():
        assert process.poll() is None, process.stderr
        assert time.monotonic() < deadline
        time.sleep(0.2)


@contextmanager
def _serving(settings) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "dagster_project.process", "serve", "--headless"]
    environment = os.environ | {"TTA_MONITOR_HOME": str(settings.home)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as process:
        yield process
        process.kill()


@pytest.mark.slow
def test_a_pass_of_a_killed_process_is_marked_and_the_next_process_begins_another(
    settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def running() -> passes.Pass | None:
        return passes.read_health(settings.home).running()

    with _serving(settings) as process:
        _until(running, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert passes.read_health(settings.home).latest().reason == passes.PROCESS_ENDED
    with _serving(settings) as process:
        _until(running, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    assert [p.outcome for p in passes.read_health(settings.home).passes] == ["failed", "canceled"]
    for name, value in dagster_environment(settings).items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.get() as instance:
        statuses = [run.status for run in instance.get_runs()]
        assert statuses[-1] == dg.DagsterRunStatus.FAILURE
