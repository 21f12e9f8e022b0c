"""`errors …`: what a person can see and decide on the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.settings import Settings
from privacy.keys.key_store import KeyStore
from tests.live_tail.window.test_hot_errors import Live, span_body
from tta_monitor.cli import app
from tta_monitor.console.problems import Problem

VERBS = ["list", "show", "resolve", "mute", "reopen", "assign", "merge", "split", "regroup"]


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["errors", *arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


@pytest.fixture
def live(pipeline: Pipeline, settings: Settings, keys: KeyStore) -> Live:
    pipeline.process([span_body(number=1), span_body(number=2, value="is locked and")])
    return Live(settings, keys)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_an_example(verb: str) -> None:
    assert "Example: ./tta.sh monitor errors" in run(verb, "--help")


@pytest.mark.parametrize("arguments", [(), ("list",)])
def test_a_wrong_errors_yaml_is_said_whatever_is_asked(
    home: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    KeyStore.open(home, create=True)
    monkeypatch.setenv("TTA_MONITOR_HOME", str(home))
    assert "not taken" not in run(*arguments)
    (home / "errors.yaml").write_text("rules: 7")
    said = run(*arguments)
    assert "errors.yaml is not taken" in said and "rules must be a list" in said
    assert arguments or "regroup" in said


def test_a_group_is_listed_shown_resolved_and_reopened(live: Live) -> None:
    [row] = json.loads(run("list", "--json"))
    assert (row["count"], row["state"]) == (2, "new")
    assert "Grouped by exception chain" in run("show", row["key"][:9])
    assert "in 9.9" in run("resolve", row["key"], "--release", "9.9")
    assert json.loads(run("list", "--state", "resolved", "--json"))[0]["resolved_in"] == "9.9"
    run("reopen", row["key"])
    run("assign", row["key"], "ada")
    run("mute", row["key"])
    shown = json.loads(run("show", row["key"], "--json"))
    assert (shown["assignee"], shown["state"]) == ("ada", "muted")
    assert [e["state"] for e in shown["history"]][:3] == ["new", "resolved", "ongoing"]


def test_all_components_of_a_group_are_listed(live: Live, pipeline: Pipeline) -> None:
    [row] = json.loads(run("list", "--json"))
    names = [f"worker-{letter}" for letter in "bcde"]
    for number, name in enumerate(names, start=3):
        pipeline.process([span_body(number=number, service=name)])
    live.catch_up()
    [again] = json.loads(run("list", "--json"))
    assert again["components"] == [row["component"], *names] and again["key"] == row["key"]
    assert f"{row['component']}, worker-b, worker-c (2 more)" in run("list")
    assert ", ".join(again["components"]) in run("show", row["key"])


def test_a_change_of_version_shows_what_splits_and_which_rules_are_lost(live: Live) -> None:
    [row] = json.loads(run("list", "--json"))
    run("split", row["key"], "--by", "message")
    [change] = json.loads(run("regroup", "--version", "g2", "--dry-run", "--json"))
    assert (change["kind"], change["occurrences"], len(change["new_keys"])) == ("split", 2, 2)
    assert change["rules_by_hand"] == [row["key"]]
    with pytest.raises(Problem, match="dry-run"):
        run("regroup", "--version", "g2")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "g1:nothing"], "no group begins"),
        (["list", "--state", "angry"], "--state is one of"),
        (["regroup", "--version", "g9", "--dry-run"], "--version is one of"),
        (["merge", "g1:a", "--into", "g1:b"], "no group begins"),
    ],
)
def test_a_wrong_argument_is_named(live: Live, arguments: list[str], words: str) -> None:
    with pytest.raises(Problem, match=words):
        run(*arguments)


def test_splitting_twice_or_by_nonsense_and_merging_into_itself_is_refused(live: Live) -> None:
    [row] = json.loads(run("list", "--json"))
    with pytest.raises(Problem, match="split by one of"):
        run("split", row["key"], "--by", "mood")
    with pytest.raises(Problem, match="already counts"):
        run("merge", row["key"], "--into", row["key"])
