"""`alerts test`, `alerts backtest`, `alerts import` as a user types them."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from typer.testing import CliRunner

from ingestion.lake.drain import drain
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings
from live_tail.alerts.rules.rule_files import SHIPPED, load_rules
from live_tail.alerts.trials.backtest import backtest_bodies
from privacy.keys.key_store import KeyStore
from tests.live_tail.alerts.telemetry import START, every, service_up, span, spans
from tests.live_tail.test_live_tail import request_body
from tta_monitor.cli import app
from tta_monitor.console.problems import Problem

TEST = """
rule_files: [dependencies.yaml]
tests:
- input_series: [{series: 'tta_service_up{service="redis"}', values: 1x2 0x3}]
  interval: 30s
  alert_rule_test:
  - {eval_time: 2m, alertname: DependencyDown, exp_alerts: [{exp_labels: {dependency: WHICH}}]}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["alerts", *arguments])


def problem_of(*arguments: str) -> str:
    error = run(*arguments).exception
    assert isinstance(error, Problem)
    return str(error)


def test_unit_tests_pass_fail_and_are_refused(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(TEST.replace("WHICH", "redis"))
    passed = run("test", str(file))
    assert (passed.exit_code, "1 of 1" in passed.output) == (0, True)
    file.write_text(TEST.replace("WHICH", "neo4j"))
    failed = run("test", str(file))
    assert (failed.exit_code, '- {dependency="neo4j"}' in failed.output) == (1, True)
    file.write_text("[]")
    assert "no test file" in problem_of("test", str(file))


def test_a_backtest_of_a_capture_prints_each_alerts_life(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "otlp"
    folder.mkdir()
    bodies = [service_up(at, "redis", 0.0 if down else 1.0) for at, down in every(30, 300)]
    lines = []
    for number, body in enumerate(bodies):
        (folder / f"{number}.pb").write_bytes(body.content)
        lines.append({"ts": body.received_s, "path": "/v1/metrics", "file": f"{number}.pb"})
    (folder / "broken.pb").write_bytes(b"\xff")
    lines.append({"ts": START + 60, "path": "/v1/metrics", "file": "broken.pb"})
    (folder / "index.jsonl").write_text("\n".join(map(json.dumps, lines)))
    done = run("backtest", str(tmp_path), "--rules", str(SHIPPED / "dependencies.yaml"))
    found = json.loads(done.output)
    assert (found["items"], found["unreadable_bodies"]) == ({"metric_points": 10}, 1)
    (alert,) = found["alerts"]
    assert (alert["rule"], alert["labels"]) == ("DependencyDown", {"dependency": "redis"})
    assert alert["pending_at"] <= alert["firing_at"] < alert["resolved_at"]


GROUPS = """
rule_files: [content_delivery.yaml]
evaluation_interval: 1m
tests:
- input_spans:
  - {component: api, name: POST /api/v1/read, every: 1m, to: 32m}
  - {component: api, name: POST /api/v1/save, status: ERROR, exception_type: KeyError, every: 30s, from: 31m, to: 33m}
  alert_rule_test:
  - {eval_time: 32m, alertname: ErrorGroupNew, exp_alerts: [{exp_labels: {WHICH}}]}
  - {eval_time: 33m, alertname: ErrorGroupRegressed, exp_alerts: []}
"""


def test_rules_on_error_groups_are_tested_and_backtested(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(GROUPS.replace("WHICH", "component: web"))
    failed = run("test", str(file)).output
    assert '+ {component="api"}' in failed
    file.write_text(GROUPS.replace("WHICH", "component: api"))
    assert "2 of 2" in run("test", str(file)).output
    names = ["read"] * 31 + ["save"] * 3
    bodies = [
        spans(START + n * 60, "api", span(START + n * 60, f"POST /api/v1/{name}",
                                          error="KeyError" * (name == "save")))
        for n, name in enumerate(names)
    ]  # fmt: skip
    rules = load_rules([SHIPPED / "content_delivery.yaml"])
    found = backtest_bodies(bodies, rules, timedelta(seconds=60))
    assert [a["rule"] for a in found.alerts] == ["ErrorGroupNew"] and found.failed_rules == {}
    assert not list(home.iterdir())  # nothing of it is kept


def test_json_and_compressed_bodies_are_backtested_like_plain_ones(
    home: Path, tmp_path: Path
) -> None:
    lines = []
    for number, (at, down) in enumerate(every(30, 300)):
        body = service_up(at, "redis", 0.0 if down else 1.0)
        message = ExportMetricsServiceRequest.FromString(body.content)
        plain = MessageToJson(message).encode() if number % 2 else body.content
        (tmp_path / f"{number}.gz").write_bytes(gzip.compress(plain))
        kind = "json" if number % 2 else "x-protobuf"
        lines.append(
            {"ts": body.received_s, "path": "/v1/metrics", "file": f"{number}.gz",
             "content_type": f"application/{kind}", "content_encoding": "gzip"}
        )  # fmt: skip
    (tmp_path / "index.jsonl").write_text("\n".join(map(json.dumps, lines)))
    rules = str(SHIPPED / "dependencies.yaml")
    found = json.loads(run("backtest", str(tmp_path), "--rules", rules).output)
    assert (found["items"], found["unreadable_bodies"]) == ({"metric_points": 10}, 0)
    assert [a["labels"] for a in found["alerts"]] == [{"dependency": "redis"}]
    assert found["received_later_s"] == 0.0


def test_a_backtest_of_history_reads_the_lake(
    settings: Settings, pipeline: Pipeline, keys: KeyStore
) -> None:
    now = datetime.now(UTC)
    bodies = [request_body(n, now, status=500 if n % 2 else 200) for n in range(80)]
    pipeline.process([Incoming("spans", body) for body in bodies])
    drain(settings, keys)
    rules = str(SHIPPED / "availability.yaml")
    found = json.loads(run("backtest", "--since", "1h", "--rules", rules).output)
    assert found["items"] == {"spans": 80}
    assert {a["rule"] for a in found["alerts"]} >= {"AvailabilityBelowObjective"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "either a capture or --since"),
        (["--since", "soon"], "duration"),
        (["--since", "1h", "--step", "10ms"], "at least 1s"),
        (["--since", "1h"], "nothing to replay"),
        (["--since", "1h", "--rules", "/nowhere"], "does not exist"),
        (["/nowhere"], "does not exist"),
    ],
)
def test_a_wrong_backtest_says_what_to_do(
    settings: Settings, arguments: list[str], words: str
) -> None:
    assert words in problem_of("backtest", *arguments)


def test_prometheus_rules_are_printed_written_once_or_refused(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "prometheus.yml"
    file.write_text(
        "groups: [{name: g, rules: [{alert: Hot, expr: t > 3}, {alert: Joined, expr: a > 1 and b > 1}]}]"
    )
    assert "name: Hot" in run("import", str(file)).output
    assert not (home / "rules").exists()
    written = run("import", str(file), "--write")
    assert written.exit_code == 0
    assert "name: Hot" in (home / "rules" / "prometheus.yaml").read_text()
    assert "exists" in problem_of("import", str(file), "--write")
    file.write_text("5")
    assert "no Prometheus rule file" in problem_of("import", str(file))
