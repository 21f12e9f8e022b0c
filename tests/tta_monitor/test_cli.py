"""The command line: one sentence per error, right exit codes, examples in every help."""

import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingestion.settings import Settings, SettingsProblem, load_settings
from tests.conftest import CAPTURE, ROOT
from tta_monitor import Monitor, query
from tta_monitor.cli import app
from tta_monitor.console.problems import Problem
from tta_monitor.running import supervise
from tta_monitor.running.programs import programs
from tta_monitor.traffic import replay
from tta_monitor.watching import doctor

COMMANDS = ["up", "down", "status", "replay", "build", "query", "doctor"]


def monitor(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tta_monitor", "--home", str(home), *arguments],
        capture_output=True, text=True, cwd=ROOT, check=False, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Example: ./tta.sh monitor" in result.output


@pytest.mark.parametrize(
    "command", ["status", "query SELECT", "replay /nowhere", "query SELECT 1;SELECT"]
)
def test_an_error_is_one_sentence_with_the_fix_and_no_traceback(home: Path, command: str) -> None:
    name, _, rest = command.partition(" ")
    done = monitor(name, *([rest] if rest else []), home=home)
    assert done.returncode in (1, 2)
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr + done.stdout


def test_down_on_a_quiet_home_says_so(home: Path) -> None:
    done = monitor("down", home=home)
    assert (done.returncode, "nothing runs" in done.stdout) == (0, True)


def test_query_answers_in_three_formats(built: Settings) -> None:
    sql = "SELECT component, spans FROM dim_components ORDER BY 1"
    answer = query.ask(built, sql, "operations")
    assert answer.columns == ["component", "spans"]
    assert len(answer.rows) == 6
    assert json.loads(query.as_json(answer))[0]["component"] == "health-check-service"
    assert query.as_csv(answer).splitlines()[0] == "component,spans"
    done = monitor("query", sql, home=built.home)
    assert done.returncode == 0 and "player-experience-api" in done.stdout
    done = monitor("query", sql, "--format", "json", home=built.home)
    assert len(json.loads(done.stdout)) == 6


def test_a_table_tells_times_to_the_second_and_other_formats_as_they_are(built: Settings) -> None:
    sql = "SELECT TIMESTAMP '2026-03-01 10:00:05.123456' AS at"
    done = monitor("query", sql, home=built.home)
    assert done.stdout.split("\n")[1] == "2026-03-01 10:00:05"
    assert "05.123456" in monitor("query", sql, "--format", "csv", home=built.home).stdout


def test_query_is_read_only_limited_and_explains(built: Settings) -> None:
    for sql in ("DROP TABLE dim_components", "SELECT 1; SELECT 2", "COPY x TO 'y'"):
        with pytest.raises(Problem, match="only one SELECT"):
            query.ask(built, sql, "operations")
    with pytest.raises(Problem, match=r"not valid: .*no_such_function"):
        query.ask(built, "SELECT no_such_function(1)", "operations")
    with pytest.raises(Problem, match=r"no column nope"):
        query.ask(built, "SELECT nope FROM dim_components", "operations")
    with pytest.raises(Problem) as unknown:
        query.ask(built, "SELECT nope FROM nowhere", "operations")
    words = str(unknown.value)
    assert words.startswith(
        "there is no table nowhere in what is published for operations; there are "
    )
    assert "dim_components, " in words and "fct_requests_minutely" in words and "\n" not in words
    cut = query.ask(built, "SELECT * FROM range(50)", "operations", max_rows=10)
    assert cut.is_cut and len(cut.rows) == 10
    with pytest.raises(Problem, match="longer than"):
        query.ask(
            built,
            "SELECT count(*) FROM range(10000000000) a, range(10000) b",
            "operations",
            max_s=0.2,
        )


def test_the_python_api_reads_what_is_published(built: Settings) -> None:
    frame = Monitor(built.home).query("SELECT sum(spans) AS spans FROM dim_components")
    assert frame["spans"][0] == 10_161


def test_a_capture_is_read_from_a_folder_and_a_tar_alike(tmp_path: Path) -> None:
    with tarfile.open(CAPTURE) as archive:
        archive.extractall(tmp_path, filter="data")
    assert replay.read_capture(tmp_path) == replay.read_capture(CAPTURE)


def test_a_shift_moves_every_time_by_one_offset() -> None:
    captured = replay.read_capture(CAPTURE)
    moved = replay.shifted(captured, 2_000_000_000.0)
    assert max(m.recorded_at for m in moved) == pytest.approx(2_000_000_000.0)
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    def spans(bodies: list[replay.Captured]) -> list:
        return [
            s
            for b in bodies if b.path == "/v1/traces"
            for r in ExportTraceServiceRequest.FromString(b.body).resource_spans
            for c in r.scope_spans for s in c.spans
        ]  # fmt: skip

    offsets = {
        (
            m.start_time_unix_nano - s.start_time_unix_nano,
            m.end_time_unix_nano - s.end_time_unix_nano,
        )
        for s, m in zip(spans(captured), spans(moved), strict=True)
    }
    assert len(offsets) == 1
    assert len(set(*offsets)) == 1


@pytest.mark.parametrize("content", [None, "not json", '{"path": "/other", "ts": 1, "file": "x"}'])
def test_what_is_no_capture_is_refused_with_the_reason(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "index.jsonl").write_text(content)
        (tmp_path / "x").touch()
    with pytest.raises(Problem, match=r"index\.jsonl"):
        replay.read_capture(tmp_path)


def test_doctor_finds_a_healthy_home_and_a_lost_key(settings: Settings) -> None:
    assert {d.level for d in doctor.examine(settings)} <= {"ok", "warn"}
    (settings.home / "keys" / "kek").unlink()
    assert any(d.name == "keys" and d.level == "fail" for d in doctor.examine(settings))
    shutil.rmtree(settings.home)
    assert {d.name: d.level for d in doctor.examine(settings)}["home"] == "warn"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("errors.yaml", "rules: 7"), ("alerting.yaml", "route: 7"), ("rules/a.yaml", "rules: [{}]"),
        ("policy.yaml", "attributes: {user.id: allow}"), ("config.yaml", "live: {prot: 4320}"),
        ("config.yaml", "retention: {rules: {spans: 1h}}"), ("config.yaml", "no mapping"),
        ("config.yaml", "collectors: {prometheus_config: none.yml}"),
        ("config.yaml", "collectors: {prometheus_config: /proc/self/stat}"),
        ("config.yaml", "access: {oidc: {issuer: 'https://i', client_id: c, client_secret_file: /none, roles: {a: admin}}}"),
    ],
)  # fmt: skip
def test_a_wrong_file_of_the_site_is_said_by_doctor_and_status(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, file: str, text: str
) -> None:
    monkeypatch.setenv("TTA_MONITOR_HOME", str(settings.home))
    target = settings.home / file
    target.parent.mkdir(exist_ok=True)
    target.write_text(text)
    told = CliRunner().invoke(app, ["doctor"])
    (finding,) = [d for d in doctor.examine(settings) if d.level == "fail"]
    assert f"{finding.name}: {finding.message}" in told.output and told.exit_code == 1
    monkeypatch.setattr(supervise, "states", lambda _: [])
    done = CliRunner().invoke(app, ["status"])
    assert f"not taken: {finding.name}: {finding.message}" in done.output and done.exit_code == 1
    assert len(json.loads(CliRunner().invoke(app, ["status", "--json"]).output)["wrong_files"]) == 1


def test_a_taken_port_is_named_with_its_setting(settings: Settings, free_port: int) -> None:
    import socket

    settings.live.port = free_port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port))
        taken.listen()
        with pytest.raises(Problem, match=rf"{free_port}.*TTA_MONITOR_LIVE__PORT"):
            supervise.check_ports(settings, programs(settings, demo=False, headless=True))


def test_wrong_settings_are_all_named_at_once(home: Path) -> None:
    (home / "config.yaml").write_text("live: {port: many}\nnonsense: 1\n")
    with pytest.raises(SettingsProblem, match=r"live\.port.*nonsense"):
        load_settings(home)
    (home / "config.yaml").write_text("{")
    with pytest.raises(SettingsProblem, match="not YAML"):
        load_settings(home)
    (home / "config.yaml").write_text("- 1")
    with pytest.raises(SettingsProblem, match="mapping"):
        load_settings(home)


def test_the_environment_wins_over_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "config.yaml").write_text("live: {port: 5000, window_minutes: 30}")
    monkeypatch.setenv("TTA_MONITOR_LIVE__PORT", "6000")
    live = load_settings(home).live
    assert (live.port, live.window_minutes) == (6000, 30)
    monkeypatch.setenv("TTA_MONITOR_LIVE", "{")
    with pytest.raises(SettingsProblem, match="TTA_MONITOR_"):
        load_settings(home)
