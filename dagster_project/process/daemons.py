"""Dagster's daemons as threads of one process that wake rarely.

Here: which daemons run and how patiently. Not here: what they do (Dagster), runs (`own_runs`). Each
daemon is a generator that waits on an event; ours makes short waits long, since nothing here needs
an answer within half a second. Queue, monitoring and automation daemons are not needed: one worker
takes runs in turn, `serve` ends what a dead process left, and assets run by schedule.
"""

import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster._core.workspace.context import IWorkspaceProcessContext
from dagster._daemon.daemon import BackfillDaemon, DagsterDaemon, SchedulerDaemon, SensorDaemon
from dagster._daemon.freshness import FreshnessDaemon
from dagster._daemon.types import DaemonHeartbeat
from dagster_shared.error import SerializableErrorInfo

from privacy.process_log.log import logger, place_of

_HEARTBEAT_S = 300.0
_ERROR_S = 5.0
_log = logger()


@dataclass(frozen=True)
class Patience:
    """A daemon and the shortest time that it waits."""

    daemon: DagsterDaemon[Any]
    at_least_s: float


class PatientEvent(threading.Event):
    """An event whose waits have a least length; setting it ends them at once."""

    def __init__(self, at_least_s: float) -> None:
        super().__init__()
        self._at_least_s = at_least_s

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the time that was asked for, or for the least one."""
        return super().wait(None if timeout is None else max(timeout, self._at_least_s))


def our_daemons() -> list[Patience]:
    """The scheduler wakes at each full minute by itself; backfills are launched by hand only."""
    return [
        Patience(SchedulerDaemon(), 0),
        Patience(SensorDaemon(settings={}), 60),
        Patience(BackfillDaemon(settings={}), 60),
        Patience(FreshnessDaemon(interval_seconds=120), 120),
    ]


class Daemons:
    """The threads of a list of daemons."""

    def __init__(
        self, context: IWorkspaceProcessContext[Any], chosen: Iterable[Patience] | None = None
    ) -> None:
        self._context = context
        self._id = str(uuid.uuid4())
        self._stops: list[PatientEvent] = []
        self._threads: list[threading.Thread] = []
        for patience in our_daemons() if chosen is None else chosen:
            stop = PatientEvent(patience.at_least_s)
            name = patience.daemon.daemon_type().lower()
            run = threading.Thread(
                target=self._drive, args=(patience.daemon, stop), name=name, daemon=True
            )
            self._stops.append(stop)
            self._threads.append(run)

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float = 5) -> None:
        """Ask each to end and wait a little."""
        for stop in self._stops:
            stop.set()
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def dead(self) -> list[str]:
        """Names of the daemons that have ended by themselves."""
        return [thread.name for thread in self._threads if not thread.is_alive()]

    def _drive(self, daemon: DagsterDaemon[Any], stop: PatientEvent) -> None:
        """Step through a daemon's loop for ever; an error begins it anew."""
        heart = _Heart(self._context.instance, daemon.daemon_type(), self._id)
        while not stop.is_set():
            steps = daemon.core_loop(self._context, stop)
            try:
                self._step(steps, heart, stop)
            except Exception as error:  # noqa: BLE001 - told, and the process goes on
                _log.error(
                    "a daemon of Dagster begins anew",
                    job=daemon.daemon_type().lower(),
                    cause=place_of(error),
                )
                threading.Event.wait(stop, _ERROR_S)
            finally:
                steps.close()

    def _step(self, steps: Iterator[Any], heart: "_Heart", stop: PatientEvent) -> None:
        heart.beat([])
        for result in steps:
            heart.beat([result] if isinstance(result, SerializableErrorInfo) else [])
            if stop.is_set():
                return


class _Heart:
    """Tells Dagster's page that a daemon lives, or what went wrong in it."""

    def __init__(self, instance: dg.DagsterInstance, kind: str, daemon_id: str) -> None:
        self._instance, self._kind, self._id = instance, kind, daemon_id
        self._beaten_at = 0.0

    def beat(self, errors: list[SerializableErrorInfo]) -> None:
        now = time.time()
        if errors or now - self._beaten_at >= _HEARTBEAT_S:
            self._beaten_at = now
            self._instance.add_daemon_heartbeat(DaemonHeartbeat(now, self._kind, self._id, errors))
