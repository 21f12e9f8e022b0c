"""Old runs go with their events, the newest and the running stay."""

import dagster as dg

from dagster_project.run_history import forget_old_runs


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
