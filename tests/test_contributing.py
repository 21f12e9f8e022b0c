"""Three of the changes that CONTRIBUTING explains are made by touching only what it names."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.documents import quoted, rows, section, text

_PACKAGES = (
    "privacy",
    "ingestion",
    "live_tail",
    "dagster_project",
    "streamlit_app",
    "tta_monitor",
    "dbt",
    "tests",
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout to change."""
    for package in _PACKAGES:
        shutil.copytree(
            ROOT / package,
            tmp_path / "checkout" / package,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "checkout")
    return tmp_path / "checkout"


def _folder_for(change: str) -> str:
    (row,) = (
        row
        for row in rows(section(text("docs/CONTRIBUTING.md"), "Where what goes"))
        if row[0] == change
    )
    return quoted(row[1])[0]


def _says(checkout: Path, code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(checkout), "DO_NOT_TRACK": "1", "TTA_MONITOR_HOME": str(checkout.parent / "home")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3_000:]
    return done.stdout


_LANDED = """
from datetime import datetime, UTC
from pathlib import Path
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import load_settings
from ingestion.spool import Spool
from privacy.keys.key_store import KeyStore
request = ExportTraceServiceRequest()
resource = request.resource_spans.add()
resource.resource.attributes.add(key="service.name").value.string_value = "api"
span = resource.scope_spans.add().spans.add(trace_id=b"t" * 16, span_id=b"s" * 8, name="GET /x")
span.start_time_unix_nano = int(datetime.now(UTC).timestamp()) * 10**9
span.end_time_unix_nano = span.start_time_unix_nano + 10**6
span.attributes.add(key="dummy.colour").value.string_value = "green"
home = Path("../home")
home.mkdir(exist_ok=True)
keys = KeyStore.open(home, create=True)
settings = load_settings(home)
spool = Spool(settings.spool_path, keys)
Pipeline(spool, keys).process([Incoming("spans", request.SerializeToString())])
"""
_READ = """
kept = [b.table().column("attributes").to_pylist() for b in spool.read(0) if b.signal == "spans"]
print(kept)
"""


def test_an_attribute_is_kept_by_one_line_of_the_allow_list(checkout: Path) -> None:
    read = _LANDED + _READ
    assert "green" not in _says(checkout, read)
    shutil.rmtree(checkout.parent / "home")
    allow_list = checkout / _folder_for("an attribute that may be kept") / "allow_list.yaml"
    with allow_list.open("a") as file:
        file.write("\n- treatment: keep\n  reason: a dummy\n  names: [dummy.colour]\n")
    assert "green" in _says(checkout, read)


def test_an_alert_rule_is_one_entry_in_a_file_of_rules(checkout: Path) -> None:
    (checkout / _folder_for("an alert rule") / "dummy.yaml").write_text(_RULE)
    names = "from live_tail.alerts.rules.rule_files import SHIPPED, load_rules\nprint([r.name for r in load_rules([SHIPPED])])"
    assert "'DummyRule'" in _says(checkout, names)


@pytest.mark.slow
def test_a_mart_is_a_model_its_description_and_its_audience(checkout: Path) -> None:
    folder = checkout / _folder_for("a mart") / "dummies"
    folder.mkdir()
    (folder / "fct_dummies.sql").write_text(
        "{{ config(materialized='table') }}\nselect component, count(*) as span_count"
        " from {{ ref('stg_landed__spans') }} group by all\n"
    )
    (folder / "_dummies__models.yml").write_text(_DESCRIBED)
    with (checkout / "dagster_project" / "marts" / "audiences.yaml").open("a") as file:
        file.write("fct_dummies: [operations]\n")
    built = (
        "\nfrom dagster_project.process.build import run_build\nreport = run_build(settings)\nassert report.ok, report\n"
        "from ingestion.lake.duck import open_published\n"
        "print(open_published(settings, 'operations').execute('FROM fct_dummies').fetchall())\n"
    )
    assert "('api', 1)" in _says(checkout, _LANDED + built)


_RULE = """rules:
  - name: DummyRule
    kind: threshold
    when: {value: {metric: dummy.level, value: avg, by: [component]}, compare: "> 3"}
    severity: warning
    summary: A dummy
    runbook: [Look at it.]
"""
_DESCRIBED = """version: 2
models:
  - name: fct_dummies
    description: "A dummy. Grain: component."
    columns:
      - {name: component, data_type: varchar, description: "service.name."}
      - {name: span_count, data_type: bigint, description: "Spans."}
"""
