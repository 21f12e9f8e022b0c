"""Runs in our own process: one thread executes them one after another.

Here: the launcher that `dagster.yaml` names, its worker, and the end of runs whose process is gone.
Not here: what runs (`defs/`), who keeps the process alive (`serve`). A run costs no second
interpreter; a process that dies takes its run along, which the next one marks as failed.
"""

import contextlib
import gc
import queue
import secrets
import string
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.execution.api import execute_run_iterator
from dagster._core.launcher import LaunchRunContext, RunLauncher
from dagster._serdes import ConfigurableClass, ConfigurableClassData
from dagster._utils.hosted_user_process import recon_job_from_origin

from ingestion.processes.passes import PROCESS_ENDED
from privacy.disk.locks import is_held, locked

OWNER_TAG = "tta_monitor/owner"
_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
Execute = Callable[[dg.DagsterRun, Iterator[dg.DagsterEvent]], None]


class OwnProcessLauncher(RunLauncher, ConfigurableClass):
    """Hands runs to the worker of this process."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        self._inst_data = inst_data
        self._worker: Worker | None = None
        super().__init__()

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """Where the instance's configuration names this class."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """There is nothing to configure."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Any) -> Self:
        """Made by Dagster from `dagster.yaml`."""
        return cls(inst_data)

    def employ(self, worker: "Worker") -> None:
        """Take runs from now on."""
        self._worker = worker

    def launch_run(self, context: LaunchRunContext) -> None:
        """Put the run into the worker's queue; raises RuntimeError where no worker runs."""
        if self._worker is None:
            raise RuntimeError("runs are launched by the running product: ./tta.sh monitor up")
        self._worker.put(context.dagster_run.run_id)

    def terminate(self, run_id: str) -> bool:
        """End the run before its next step; what a step has begun it finishes."""
        run = self._instance.get_run_by_id(run_id)
        if self._worker is None or run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        return self._worker.cancel(run_id)


class Worker:
    """One thread, one run at a time. `execute` consumes a run's events; `after` follows each run."""

    def __init__(
        self, instance: dg.DagsterInstance, owner: str, execute: Execute, after: Callable[[], None]
    ) -> None:
        self._instance, self._owner, self._execute, self._after = instance, owner, execute, after
        self._waiting: queue.Queue[str] = queue.Queue()
        self._known: set[str] = set()
        self._canceled: set[str] = set()
        self._lock = threading.Lock()
        self._is_ending = False

    def start(self) -> None:
        """Begin to take runs."""
        threading.Thread(target=self._work, name="runs", daemon=True).start()

    def end(self) -> None:
        """Begin no other run."""
        self._is_ending = True

    @property
    def is_idle(self) -> bool:
        """Whether no run waits and none runs."""
        return not self._known

    def put(self, run_id: str) -> None:
        """Take a run; it waits for those before it."""
        with self._lock:
            self._known.add(run_id)
        self._instance.add_run_tags(run_id, {OWNER_TAG: self._owner})
        self._waiting.put(run_id)

    def cancel(self, run_id: str) -> bool:
        """Cancel a run that waits or runs; False when it is not here."""
        with self._lock:
            if run_id not in self._known:
                return False
            self._canceled.add(run_id)
        return True

    def _work(self) -> None:
        while True:
            run_id = self._waiting.get()
            if self._is_ending:
                return
            try:
                self._run(run_id)
            except Exception:  # noqa: BLE001 - the thread must outlive any run
                self._give_up(run_id)
            finally:
                with self._lock:
                    self._known.discard(run_id)
                    self._canceled.discard(run_id)
                gc.collect()
                self._after()

    def _run(self, run_id: str) -> None:
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return
        if run_id in self._canceled:
            self._instance.report_run_canceled(run)
            return
        if run.job_code_origin is None:
            raise RuntimeError("the run does not say where its job comes from")
        job = recon_job_from_origin(run.job_code_origin)
        events: Any = execute_run_iterator(job, run, self._instance)
        self._execute(run, self._interruptible(run_id, events))

    def _interruptible(
        self, run_id: str, events: Generator[dg.DagsterEvent, None, None]
    ) -> Iterator[dg.DagsterEvent]:
        """The events; a cancelled run is interrupted between two steps."""
        for event in events:
            yield event
            if run_id in self._canceled and _is_between_steps(event):
                with contextlib.suppress(StopIteration):
                    yield events.throw(DagsterExecutionInterruptedError())
                    yield from events
                return

    def _give_up(self, run_id: str) -> None:
        run = self._instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            self._instance.report_run_failed(run, "the run could not be executed")


def _is_between_steps(event: dg.DagsterEvent) -> bool:
    """A job with hooks tells of them after each step; another one has nothing between two steps."""
    return event.is_hook_event or event.event_type == dg.DagsterEventType.STEP_START


@contextmanager
def ownership(home: Path) -> Iterator[str]:
    """A name that counts as alive until this process ends or the block does."""
    folder = _owner_path(home, "")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for other in folder.iterdir():
        _is_alive(home, other.name)
    name = "".join(secrets.choice(string.ascii_lowercase) for _ in range(12))
    with locked(_owner_path(home, name)):
        try:
            yield name
        finally:
            _owner_path(home, name).unlink(missing_ok=True)


def fail_dead_runs(instance: dg.DagsterInstance, home: Path, *, also_unowned: bool) -> int:
    """Mark what a process that is gone left unfinished; returns how many runs.

    `also_unowned` is for the one process that launches runs: nobody else may have just created one.
    """
    count = 0
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=_UNFINISHED)):
        owner = run.tags.get(OWNER_TAG)
        if _is_alive(home, owner) if owner else not also_unowned:
            continue
        if run.status == dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, PROCESS_ENDED)
        else:
            instance.report_run_failed(run, PROCESS_ENDED)
        count += 1
    return count


def _is_alive(home: Path, owner: str) -> bool:
    """Whether the process with this name lives; what is left of a dead one goes."""
    return is_held(_owner_path(home, owner), remove=True)


def _owner_path(home: Path, owner: str) -> Path:
    return home / "dagster" / "owners" / owner
