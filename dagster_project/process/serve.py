"""Dagster as one process: code, schedules, runs and the web page, loaded once.

Here: the life of that process. Not here: its parts (`own_runs`, `daemons`, `page`), what runs
(`defs/`). It may be killed at any moment: the next one marks what was running as failed and goes on
with the schedule. After a pass that left it large it starts itself anew in the same place.
"""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import psutil
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget

from dagster_project.passes.pass_record import innermost, reason_of, recorded, watch
from dagster_project.process.daemons import Daemons
from dagster_project.process.dagster_home import ensure_dagster_home
from dagster_project.process.first_pass import FirstPass
from dagster_project.process.own_runs import OwnProcessLauncher, Worker, fail_dead_runs, ownership
from dagster_project.process.page import PageThread
from dagster_project.process.run_history import forget_old_runs
from ingestion.processes import passes
from ingestion.settings import Settings
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from privacy.process_log.log import logger, place_of

LOCATION = "tta_monitor"
_ROOT = Path(__file__).resolve().parents[2]
_LOOK_S = 60.0
_LARGE_BYTES = 700 * 1024 * 1024
_log = logger()


class OwnContext(WorkspaceProcessContext):
    """Our definitions are a part of this process, from which Dagster would not know how to reload them.

    "Reload all" on its page, and `reloadWorkspace`, look at them again instead of losing them.
    """

    def reload_workspace(self) -> None:
        """Look at every location again."""
        self.refresh_workspace()

    def reload_code_location(self, name: str) -> None:
        """Look at one location again."""
        self.refresh_code_location(name)


@dataclass
class Serving:
    """The running parts."""

    settings: Settings
    instance: dg.DagsterInstance
    context: WorkspaceProcessContext
    stop: threading.Event = field(default_factory=threading.Event)
    woken: threading.Event = field(default_factory=threading.Event)
    is_large: bool = False

    def after_run(self) -> None:
        """Between two runs: give memory back, forget old runs."""
        try:
            forget_old_runs(self.instance, self.settings.warehouse.keep_runs)
        except Exception as error:  # noqa: BLE001 - told, and the process goes on
            _log.error("old runs could not be forgotten", cause=place_of(error))
        _give_memory_back()
        self.is_large = psutil.Process().memory_info().rss > _LARGE_BYTES
        self.woken.set()


def serve(settings: Settings, *, headless: bool) -> None:
    """Run until SIGTERM or SIGINT."""
    ensure_dagster_home(settings)
    with (
        ownership(settings.home) as owner,
        dg.DagsterInstance.get() as instance,
        OwnContext(instance, InProcessWorkspaceLoadTarget(_origin())) as context,
    ):
        fail_dead_runs(instance, settings.home, also_unowned=True)
        serving = Serving(settings, instance, context)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: _end(serving))
        worker = Worker(instance, owner, _executing(settings), serving.after_run)
        launcher = instance.run_launcher
        assert isinstance(launcher, OwnProcessLauncher)  # noqa: S101 - we wrote the configuration
        launcher.employ(worker)
        worker.start()
        daemons = Daemons(context)
        daemons.start()
        page = None if headless else _page(settings, context)
        _log.info("dagster ready without a page" if headless else "dagster ready")
        _watch_over(serving, worker, daemons, page)
        worker.end()
        passes.interrupt(settings.home, "the product was stopped")
        if page:
            page.stop()
        daemons.stop(timeout_s=3)
        if not worker.is_idle:
            _end_at_once()


def _page(settings: Settings, context: WorkspaceProcessContext) -> PageThread:
    log = AuditLog(settings.home, KeyStore.open(settings.home))
    return PageThread(context, settings.dagster_socket, log)


def _watch_over(
    serving: Serving, worker: Worker, daemons: Daemons, page: PageThread | None
) -> None:
    """The main thread: look once a minute, begin the first pass, start anew when too large."""
    first = FirstPass(serving.settings, time.monotonic, lambda news: _launch(serving, news))
    looked_at = 0.0
    while not serving.stop.is_set():
        if time.monotonic() - looked_at >= _LOOK_S:
            looked_at = time.monotonic()
            _look(serving)
        if daemons.dead() or (page and not page.is_alive()):
            _log.error("a part of Dagster has ended", job=",".join(daemons.dead()) or "page")
            sys.exit(1)
        if serving.is_large and worker.is_idle:
            _start_anew()
        first.look(is_idle=worker.is_idle and serving.context.has_code_location(LOCATION))
        serving.woken.wait(_LOOK_S if first.is_done else 1)
        serving.woken.clear()


def _look(serving: Serving) -> None:
    """Write down how it stands: code, schedule, what waits."""
    problem = _location_problem(serving.context)
    if problem:
        serving.context.refresh_workspace()
        problem = _location_problem(serving.context)
    passes.note(
        serving.settings.home,
        seen_at=datetime.now(UTC),
        location_problem=problem,
        schedule_problem="" if problem else _schedule_problem(serving),
        pending=_pending(serving.settings),
    )


def _pending(settings: Settings) -> str:
    from dagster_project.passes.news import has_news  # noqa: PLC0415

    return has_news(settings) or ""


def _location_problem(context: WorkspaceProcessContext) -> str:
    """Why our definitions do not load; Dagster has masked the reason, so they say it again."""
    entry = context.create_request_context().get_location_entry(LOCATION)
    if entry is None or entry.load_error is None:
        return ""
    from dagster_project import definitions  # noqa: PLC0415 - what it imports may be what fails

    try:
        definitions.defs()
    except Exception as error:  # noqa: BLE001 - the reason is what we want
        return f"Dagster cannot load our definitions: {reason_of(innermost(error))}"
    return "Dagster could not load our definitions, and will try again"


def _schedule_problem(serving: Serving) -> str:
    location = serving.context.create_request_context().get_code_location(LOCATION)
    for repository in location.get_repositories().values():
        for schedule in repository.get_schedules():
            state = serving.instance.get_instigator_state(
                schedule.get_remote_origin_id(), schedule.selector_id
            )
            if not schedule.get_current_instigator_state(state).is_running:
                return f"the schedule {schedule.name} was stopped on Dagster's page"
    return ""


def _launch(serving: Serving, news: str) -> None:
    """A run of the batch job outside its schedule."""
    location = serving.context.create_request_context().get_code_location(LOCATION)
    repository = next(iter(location.get_repositories().values()))
    job = repository.get_full_job("batch")
    from dagster._utils.hosted_user_process import recon_job_from_origin  # noqa: PLC0415

    run = serving.instance.create_run_for_job(
        recon_job_from_origin(job.get_python_origin()).get_definition(),
        remote_job_origin=job.get_remote_origin(),
        job_code_origin=job.get_python_origin(),
        tags={"tta_monitor/news": news},
    )
    serving.instance.submit_run(run.run_id, serving.context.create_request_context())


def _executing(settings: Settings):  # noqa: ANN202
    def execute(run: dg.DagsterRun, events: Iterator[dg.DagsterEvent]) -> None:
        with recorded(settings.home, run.job_name, run.run_id) as how:
            watch(events, how)

    return execute


def _origin() -> InProcessCodeLocationOrigin:
    target = LoadableTargetOrigin(
        executable_path=sys.executable,
        module_name="dagster_project.definitions",
        working_directory=str(_ROOT),
    )
    return InProcessCodeLocationOrigin(target, location_name=LOCATION)


def _end(serving: Serving) -> None:
    serving.stop.set()
    serving.woken.set()


def _end_at_once() -> None:
    """In the middle of a pass: the thread that runs it works in libraries whose state an orderly end
    would take away under it. A pass may be cut anywhere, so nothing needs that end.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _give_memory_back() -> None:
    """What the C library keeps after a pass goes back to the system; it has this on Linux only."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _start_anew() -> None:
    """The same process with fresh memory: the supervisor sees no end, sockets close by themselves."""
    _log.info("starting anew: a pass left the process large")
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - our own command line
