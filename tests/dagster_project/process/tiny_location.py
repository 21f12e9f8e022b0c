"""A code location for tests: a job of two steps, the first of which can be made to wait."""

import os
import threading

import dagster as dg

GO_ON = threading.Event()
BEGAN = threading.Event()
DONE: list[tuple[str, int]] = []


@dg.op
def first() -> int:
    BEGAN.set()
    GO_ON.wait(30)
    DONE.append(("first", os.getpid()))
    return 1


@dg.op
def second(number: int) -> None:
    DONE.append(("second", os.getpid() * number))


@dg.failure_hook
def as_our_jobs_have(_: dg.HookContext) -> None:
    pass


@dg.job(executor_def=dg.in_process_executor, hooks={as_our_jobs_have})
def two_steps() -> None:
    second(first())


often = dg.ScheduleDefinition(
    name="often",
    job=two_steps,
    cron_schedule="*/5 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
defs = dg.Definitions(jobs=[two_steps], schedules=[often])
