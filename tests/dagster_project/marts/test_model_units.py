"""The models' own unit tests, which no pass runs: hand-made rows whose right answer is plain to see."""

import pytest

from dagster_project.marts.dbt_run import run_dbt
from dagster_project.marts.manifest import target_folder
from dagster_project.marts.warehouse import dbt_environment, process_environment
from ingestion.settings import Settings
from privacy.keys.key_store import KeyStore


@pytest.mark.slow
def test_every_unit_test_of_the_models_passes(settings: Settings, keys: KeyStore) -> None:
    """In a home of its own, over models without a row: the tests bring theirs."""
    with process_environment(dbt_environment(settings, keys, is_full_refresh=True)):
        done = run_dbt(["build", "--empty", "--full-refresh"], target_folder(settings))
    assert (done.succeeded, done.failures) == (True, ())
    # A selection that finds nothing succeeds as well.
    assert len(done.units) >= 5
    assert set(done.units.values()) == {"pass"}
