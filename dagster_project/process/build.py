"""One batch pass in the foreground: drain → lake → checks → marts → publish → what expired.

It runs the same Dagster job as the schedule, in this process and on the same instance, so that a
manual build shows up in the UI and there is one description of the pass.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dagster_project.marts.warehouse import process_environment
from dagster_project.process.dagster_home import dagster_environment, ensure_dagster_home
from dagster_project.retention.daily import catch_up
from ingestion.settings import Settings
from privacy.keys.key_store import KeyStore

if TYPE_CHECKING:
    from dagster import AssetCheckEvaluation


@dataclass(frozen=True)
class BuildReport:
    """What a pass did; `ok` only when every step and every check passed that does not just warn."""

    ok: bool
    landed_rows: int
    checks_passed: int
    checks_failed: tuple[str, ...]
    failed_steps: tuple[str, ...]
    duration_s: float
    checks_warned: tuple[str, ...] = ()


def run_build(
    settings: Settings, *, progress: Callable[[str], None] = lambda _: None
) -> BuildReport:
    """Run the batch job once and wait for it."""
    started = time.monotonic()
    ensure_dagster_home(settings)
    with process_environment(dagster_environment(settings)):
        progress("loading definitions")
        # Imported here: Dagster and dbt take seconds, and the environment must be set before.
        from dagster_project.process.build_run import run_batch_job  # noqa: PLC0415

        result = run_batch_job(settings, progress)
    # Where no daemon runs, builds are all that ever happens: what is past its time goes here.
    now = datetime.now(UTC).replace(tzinfo=None)
    removed = catch_up(settings, KeyStore.open(settings.home), now, progress) or []
    left = tuple(f"retention: {r.rule}" for r in removed if r.proof_rows or r.proof_files)
    return _report(result, started, left)


def _report(result: "object", started: float, left: tuple[str, ...]) -> BuildReport:
    checks = result.get_asset_check_evaluations()  # type: ignore[attr-defined]
    failed, warned = _told(checks, "ERROR"), _told(checks, "WARN")
    failures = (e for e in result.all_events if e.is_step_failure)  # type: ignore[attr-defined]
    steps = (*(e.step_key or "job" for e in failures), *left)
    landed = sum(
        int(m.metadata["dagster/partition_row_count"].value or 0)
        for event in result.all_events  # type: ignore[attr-defined]
        if event.is_step_materialization
        for m in [event.step_materialization_data.materialization]
        if "dagster/partition_row_count" in m.metadata
    )
    return BuildReport(
        ok=result.success and not failed and not steps,  # type: ignore[attr-defined]
        landed_rows=landed,
        checks_passed=len(checks) - len(failed) - len(warned),
        checks_failed=failed,
        failed_steps=steps,
        duration_s=time.monotonic() - started,
        checks_warned=warned,
    )


def _told(checks: "Sequence[AssetCheckEvaluation]", severity: str) -> tuple[str, ...]:
    """The checks that did not pass, with what they say is odd or failed."""
    return tuple(
        sorted(
            f"{'/'.join(c.asset_key.path)}: {c.check_name}{_about(c)}"
            for c in checks
            if not c.passed and c.severity.value == severity
        )
    )


def _about(check: "AssetCheckEvaluation") -> str:
    found = (check.metadata.get(name) for name in ("failed", "odd", "warned"))
    told = [str(entry.value) for entry in found if entry and entry.value != "none"]
    return f" ({'; '.join(told)})" if told else ""
