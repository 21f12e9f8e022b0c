"""Keys, retention and erasure on the command line: what is shown, what needs a yes, exit codes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from ingestion.gate_readings import waiting
from ingestion.lake import drain as lake
from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.settings import Settings
from privacy.keys.key_store import KeyStore
from privacy.retention import receipts
from tests.dagster_project.retention.test_mart_erasure import OTHER, SUBJECT, send
from tests.ingestion.expiry.test_expiry import send as send_at
from tests.ingestion.lake.test_lake import rows
from tta_monitor.cli import app
from tta_monitor.console.context import Chosen
from tta_monitor.console.problems import Problem
from tta_monitor.watching.doctor import examine

NOW = datetime.now(UTC).replace(tzinfo=None)


@pytest.fixture(autouse=True)
def chosen(home: Path):
    Chosen.home = None
    yield
    Chosen.home = None


def run(*arguments: str, text: str | None = None):
    return CliRunner().invoke(app, list(arguments), input=text)


@pytest.fixture
def aged(settings: Settings, keys: KeyStore, pipeline: Pipeline) -> Settings:
    for days in (1, 20, 30):
        send_at(pipeline, days, NOW - timedelta(days=days))
    lake.drain(settings, keys)
    return settings


def test_keys_are_shown_without_a_secret_and_rotated(aged: Settings, keys: KeyStore) -> None:
    shown = json.loads(run("keys", "status", "--json").stdout)
    assert {"spool", "lake.spans"} <= {d["dataset"] for d in shown["datasets"]}
    table = run("keys", "status").stdout
    assert keys.data_key("spool", NOW.date()).secret.hex() not in table
    assert "rotated:" in run("keys", "rotate").stdout
    assert len(rows(aged, KeyStore.open(aged.home), "spans")) == 3


def test_a_plan_can_try_another_policy_and_removes_nothing(aged: Settings, tmp_path: Path) -> None:
    plan = json.loads(run("retention", "plan", "--json").stdout)
    spans = next(r for r in plan if r["rule"] == "spans")
    assert (spans["rows"], spans["partitions"], len(spans["keys"])) == (2, 2, 2)
    policy = tmp_path / "policy.yaml"
    policy.write_text("spans: 25d\n")
    stricter = json.loads(run("retention", "plan", "--policy", str(policy), "--json").stdout)
    assert next(r for r in stricter if r["rule"] == "spans")["rows"] == 1
    assert "spans" in run("retention", "plan").stdout
    policy.write_text("spans: whenever\n")
    assert isinstance(run("retention", "plan", "--policy", str(policy)).exception, Problem)


def test_apply_needs_a_yes_and_then_reports_what_is_left(aged: Settings, keys: KeyStore) -> None:
    refused = run("retention", "apply")
    assert isinstance(refused.exception, Problem) and refused.exception.code == 2
    assert len(rows(aged, keys, "spans")) == 3
    done = run("retention", "apply", "--yes")
    assert done.exit_code == 0 and "spans: 2 partitions, 2 rows" in done.stdout
    assert len(rows(aged, keys, "spans")) == 1
    assert {r.rule for r in receipts.read(aged.home, keys)} >= {"spans"}
    assert "nothing was due" in run("retention", "apply", "--yes").stdout
    assert "nothing would go" in run("retention", "plan").stdout


@pytest.mark.parametrize("how", ["argument", "stdin"])
def test_a_person_is_erased_and_never_named(
    settings: Settings, keys: KeyStore, pipeline: Pipeline, how: str
) -> None:
    for number, person in enumerate((SUBJECT, OTHER), start=1):
        send(pipeline, number, person)
    given = SUBJECT if how == "argument" else "-"
    text = None if how == "argument" else f"{SUBJECT}\n"
    done = run("privacy", "erase", "--subject", given, "--no-build", text=text)
    assert done.exit_code == 0 and "still found: 0" in done.stdout
    assert SUBJECT not in done.output
    assert len(rows(settings, keys, "spans")) == 1


def test_an_empty_id_is_refused(settings: Settings) -> None:
    done = run("privacy", "erase", "--subject", "-", text="\n")
    assert isinstance(done.exception, Problem) and done.exception.code == 2


def test_help_of_each_command_has_an_example() -> None:
    for words in (
        "keys status",
        "keys rotate",
        "retention plan",
        "retention apply",
        "privacy erase",
    ):
        result = run(*words.split(), "--help")
        assert "Example: " in result.output


def test_the_policy_is_set_listed_and_taken_back(settings: Settings, keys: KeyStore) -> None:
    assert run("privacy", "policy", "set", "player.mood_score", "allow").exit_code == 0
    listed = json.loads(run("privacy", "policy", "list", "--json").stdout)
    assert listed == {"decided": {"player.mood_score": "allow"}, "waiting": None}
    assert "nothing is published yet" in run("privacy", "policy", "list").stderr
    run("privacy", "policy", "set", "player.mood_score", "undecided")
    assert json.loads(run("privacy", "policy", "list", "--json").stdout)["decided"] == {}


@pytest.mark.parametrize(
    ("name", "decision", "why"),
    [
        ("gen_ai.prompt", "allow", "cannot loosen"),
        ("player.mood", "keep", "must be allow, scrub, drop or undecided"),
        ("two words", "drop", "name is letters"),
    ],
)
def test_a_decision_that_is_not_possible_is_refused_with_the_reason(
    name: str, decision: str, why: str, settings: Settings
) -> None:
    done = run("privacy", "policy", "set", name, decision)
    assert isinstance(done.exception, Problem) and why in str(done.exception)
    assert not (settings.home / "policy.yaml").exists()


def test_a_wrong_policy_file_is_named_by_list_and_doctor(settings: Settings) -> None:
    (settings.home / "policy.yaml").write_text("attributes: {user.id: allow}")
    done = run("privacy", "policy", "list")
    assert "a site can only drop it" in str(done.exception)
    found = {d.name: d for d in examine(settings)}
    assert (found["policy.yaml"].level, "user.id" in found["policy.yaml"].message) == ("fail", True)


def test_attributes_that_wait_are_listed_until_somebody_decides(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    con = duckdb.connect()
    con.execute(
        "CREATE TABLE fct_gate_decisions_hourly AS SELECT * FROM (VALUES"
        " ('api', 'spans', 'a.b', 'unknown', TIMESTAMP '2026-11-25', 7),"
        " ('web', 'logs', 'a.b', 'unknown', TIMESTAMP '2026-11-24', 1),"
        " ('web', 'logs', 'c.d', 'unknown', TIMESTAMP '2026-11-24', 3),"
        " ('web', 'logs', '(other)', 'unknown', TIMESTAMP '2026-11-24', 3),"
        " ('web', 'logs', '~abcdefghijkl a.a', 'unknown', TIMESTAMP '2026-11-24', 9),"
        " ('web', 'logs', 'http.method', 'keep', TIMESTAMP '2026-11-24', 9))"
        " AS t(component, signal, field, treatment, hour_at, value_count)"
    )
    found = waiting(con, {"c.d": "drop"})
    assert [(w.name, w.shape, w.value_count) for w in found] == [
        ("~abcdefghijkl", "a.a", 9), ("a.b", "", 8),
    ]  # fmt: skip
    assert found[1].components == ("api", "web")
    assert [w.name for w in waiting(con, {"~abcdefghijkl": "drop"})] == ["a.b", "c.d"]
