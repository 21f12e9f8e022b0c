"""A build larger than its memory: what dbt spills is encrypted and stops nothing."""

from pathlib import Path

import pytest
import yaml
from dbt.adapters.duckdb import environments
from dbt.adapters.duckdb.credentials import DuckDBCredentials

from tests.conftest import ROOT


def _profile() -> dict:
    profiles = yaml.safe_load((ROOT / "dbt" / "profiles.yml").read_text())
    output = profiles["tta_monitor"]["outputs"]["batch"]
    output["settings"]["memory_limit"] = "25MB"
    return {**output, "attach": [], "database": "memory"}


@pytest.mark.usefixtures("keys")
def test_dbt_opens_further_cursors_while_there_are_spill_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    environment = environments.create(DuckDBCredentials.from_dict(_profile()))
    first = environment.handle().cursor()
    first.execute(
        "CREATE TABLE large AS "
        "SELECT md5(i::VARCHAR) AS plain, 'marker-4711' AS marker FROM range(600000) AS r (i)"
    )
    spilled = [file for file in tmp_path.rglob("*") if file.suffix == ".tmp"]
    assert spilled
    assert not any(b"marker-4711" in file.read_bytes() for file in spilled)
    second = environment.handle().cursor()
    second.execute("SELECT current_setting('temp_file_encryption'), count(*) FROM large")
    assert second.fetchone() == (True, 600_000)
    environment.close()
