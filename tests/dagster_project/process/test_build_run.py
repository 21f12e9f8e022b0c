"""A build in the foreground: the same record and the same one-at-a-time as a scheduled pass."""

import types

import dagster as dg
import pytest

from dagster_project import definitions
from dagster_project.passes.pass_record import tell_why
from dagster_project.process.build_run import run_batch_job
from dagster_project.process.dagster_home import ensure_dagster_home
from ingestion.processes import passes
from privacy.keys.key_store import KeyProblem


@dg.asset
def good() -> None:
    return None


@dg.asset
def wrong() -> None:
    raise KeyProblem("key lake.spans does not open. Restore the keys folder.")


@dg.asset
def foreign() -> None:
    raise ValueError("what Anna Berger wrote")


@dg.asset_check(asset=good)
def doubtful() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=False)


@pytest.fixture
def run(settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DAGSTER_HOME", str(ensure_dagster_home(settings)))
    monkeypatch.setenv("DAGSTER_REDACT_USER_CODE_ERRORS", "1")

    def _run(*assets: object, keep: int = 100) -> passes.Pass:
        job = dg.define_asset_job("batch", hooks={tell_why})
        checks = [a for a in assets if isinstance(a, dg.AssetChecksDefinition)]
        made = dg.Definitions(
            assets=[a for a in assets if a not in checks],
            asset_checks=checks,
            jobs=[job],
            executor=dg.in_process_executor,
        )
        monkeypatch.setattr(definitions, "defs", lambda: made)
        kept = types.SimpleNamespace(
            home=settings.home, warehouse=types.SimpleNamespace(keep_runs=keep)
        )
        run_batch_job(kept, lambda _: None)
        latest = passes.read_health(settings.home).latest()
        assert latest
        return latest

    return _run


def _told(run_id: str | None = None) -> str:
    with dg.DagsterInstance.get() as instance:
        run = instance.get_runs()[0]
        return " ".join(entry.user_message for entry in instance.all_logs(run.run_id))


def test_a_good_pass_is_recorded_as_such(run) -> None:
    ended = run(good)
    assert (ended.job, ended.outcome, ended.failed, ended.reason) == ("batch", "ok", (), "")


def test_why_a_step_failed_stands_in_the_record_and_on_dagsters_page(run) -> None:
    ended = run(good, wrong)
    assert (ended.outcome, ended.failed) == ("failed", ("wrong",))
    assert "Restore the keys folder" in ended.reason
    assert "Restore the keys folder" in _told()


def test_of_a_foreign_error_the_type_and_no_text_is_told(run, settings) -> None:
    ended = run(foreign)
    assert "ValueError" in ended.reason
    kept = b"".join(f.read_bytes() for f in settings.home.rglob("*") if f.is_file())
    assert b"Berger" not in kept


def test_a_failed_check_fails_the_pass_by_its_name(run) -> None:
    assert run(good, doubtful).failed == ("check doubtful of good",)


def test_only_so_many_runs_are_kept(run) -> None:
    for _ in range(4):
        run(good, keep=2)
    with dg.DagsterInstance.get() as instance:
        assert len(instance.get_runs()) == 2
