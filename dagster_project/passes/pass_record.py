"""What a run leaves in the record of passes: how it ended, what failed, and why in words.

Here: reading a run's events, and the hook that tells why a step failed. Not here: the record itself
(`ingestion/processes/passes`). Dagster hides what user code's errors say, so the hook says in its place what
may be said: our own sentences as skeletons, of any other error its type and our place.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from ingestion.processes import passes
from privacy.detection.cues import skeletonise
from privacy.process_log.log import told

_OURS = ("privacy.", "ingestion.", "dagster_project.")
_TOLD_BY_CHECKS = "DagsterAssetCheckFailedError"
_reasons: dict[str, list[str]] = {}


@dg.failure_hook
def tell_why(context: dg.HookContext) -> None:
    """Say why a step failed, on Dagster's page and for the record."""
    error = context.op_exception
    reason = reason_of(error) if error else ""
    if reason:
        context.log.error(f"{context.step_key} failed: {reason}")
        _reasons.setdefault(context.run_id, []).append(reason)


def reason_of(error: BaseException) -> str:
    """What may be told of an error."""
    if type(error).__name__ == _TOLD_BY_CHECKS:
        return ""
    if isinstance(error, dg.Failure):
        return skeletonise(error.description or "")
    if type(error).__module__.startswith(_OURS):
        return skeletonise(str(error))
    # Where it happened in our code: the two innermost places are enough.
    return " < ".join(told(error).split(" < ")[:2])


def innermost(error: BaseException) -> BaseException:
    """What a chain of errors began with."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


@contextmanager
def recorded(
    home: Path, job: str, run_id: str, progress: Callable[[str], None] = lambda _: None
) -> Iterator[passes.PassEnd]:
    """Hold the lock of the one pass and keep the record; the block fills in how it went."""
    with passes.one_pass(home, progress):
        begun = passes.begin(home, job, datetime.now(UTC))
        how = passes.PassEnd()
        try:
            yield how
        except BaseException as error:
            how.failed.append("run")
            how.reasons.append(reason_of(error))
            raise
        finally:
            how.reasons.extend(_reasons.pop(run_id, []))
            passes.end(home, begun, how, datetime.now(UTC))


def watch(events: Iterable[dg.DagsterEvent], how: passes.PassEnd) -> passes.PassEnd:
    """Go through a run's events and note what failed."""
    for event in events:
        if event.is_step_failure:
            how.failed.append((event.step_key or "job").replace("__", "/"))
        elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            _watch_check(event.asset_check_evaluation_data, how)
        elif event.event_type == dg.DagsterEventType.RUN_CANCELED:
            how.is_canceled = True
        elif event.event_type == dg.DagsterEventType.RUN_FAILURE and not how.failed:
            how.failed.append("run")
    return how


def _watch_check(check: dg.AssetCheckEvaluation, how: passes.PassEnd) -> None:
    if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR:
        name = f"check {check.check_name} of {'/'.join(check.asset_key.path)}"
        how.failed.append(name)
