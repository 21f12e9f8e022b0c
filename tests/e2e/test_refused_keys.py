"""A missing or a wrong key: every process refuses to start, and says what to do."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from privacy.keys.key_store import KeyStore, utc_today
from tests.conftest import ROOT

ENTRY_POINTS = {
    "receiver": ["ingestion.receivers"],
    "live tail": ["live_tail"],
    "build": ["tta_monitor", "build"],
    "query": ["tta_monitor", "query", "SELECT 1"],
    "up": ["tta_monitor", "up", "--headless"],
    "keys": ["tta_monitor", "keys", "status"],
}


@pytest.mark.parametrize("case", ["missing", "wrong"])
@pytest.mark.parametrize("entry", ENTRY_POINTS)
def test_a_process_without_the_right_key_refuses_to_start(
    tmp_path: Path, entry: str, case: str
) -> None:
    KeyStore.open(tmp_path, create=True).data_key("spool", utc_today())
    (tmp_path / "spool.db").touch()
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "operations.duckdb").touch()
    environment = {**os.environ, "TTA_MONITOR_HOME": str(tmp_path)}
    if case == "missing":
        (tmp_path / "keys" / "kek").unlink()
    else:
        environment["TTA_MONITOR_KEK"] = base64.b64encode(b"w" * 32).decode()
    done = subprocess.run(
        [sys.executable, "-m", *ENTRY_POINTS[entry]],
        env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "TTA_KEK_FILE" in done.stderr
    assert ("its key is missing" if case == "missing" else "another home") in done.stderr
    assert "Traceback" not in done.stderr
