"""Old runs go with their events, the newest and the running stay."""

import sqlite3
from contextlib import closing
from pathlib import Path

import dagster as dg

from dagster_project.process.run_history import forget_old_runs


@dg.op
def nothing() -> None:
    return None


@dg.job
def idle() -> None:
    nothing()


def test_only_the_newest_finished_runs_stay(tmp_path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        runs = [idle.execute_in_process(instance=instance).run_id for _ in range(5)]
        unfinished = instance.create_run_for_job(idle, status=dg.DagsterRunStatus.STARTED).run_id
        assert forget_old_runs(instance, keep=2) == 4
        assert {r.run_id for r in instance.get_runs()} == {unfinished, runs[-1]}
        assert instance.all_logs(runs[0]) == []
        assert forget_old_runs(instance, keep=2) == 0


def test_a_run_that_is_not_finished_is_never_forgotten(tmp_path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        unfinished = instance.create_run_for_job(idle, status=dg.DagsterRunStatus.STARTED).run_id
        idle.execute_in_process(instance=instance)
        assert forget_old_runs(instance, keep=1) == 0
        assert unfinished in {r.run_id for r in instance.get_runs()}


def test_of_a_run_that_went_no_file_tag_or_check_stays(tmp_path) -> None:
    @dg.asset
    def mart() -> None:
        return None

    @dg.asset_check(asset=mart)
    def holds() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    made = dg.Definitions(
        assets=[mart], asset_checks=[holds], executor=dg.in_process_executor
    ).resolve_implicit_global_asset_job_def()
    history = tmp_path / "history"
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        runs = [
            made.execute_in_process(instance=instance, tags={"why": "news"}).run_id
            for _ in range(4)
        ]
        assert forget_old_runs(instance, keep=1) == 3
        files = {f.stem for f in (history / "runs").glob("*.db")}
        assert files == {"index", runs[-1]}
        assert _column(history / "runs.db", "SELECT DISTINCT run_id FROM run_tags") == [runs[-1]]
        checks = "SELECT run_id FROM asset_check_executions"
        assert _column(history / "runs" / "index.db", checks) == [runs[-1]]
        assert instance.all_logs(runs[-1])


def _column(path: Path, sql: str) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return [row[0] for row in db.execute(sql)]
