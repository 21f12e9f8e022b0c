"""Shipped rules behave as their test files say, and every one of them has a test."""

from pathlib import Path

import pytest
import yaml

from live_tail.alerts.rules.rule_files import (
    SHIPPED,
    RuleFolders,
    RuleProblem,
    load_rules,
    rendered,
)
from live_tail.alerts.trials.promtest import run_file
from live_tail.alerts.trials.promtest_files import BadTestFile
from live_tail.alerts.trials.promtest_input import expand
from tests.conftest import ROOT

TTA = ROOT.parent / "shared" / "data" / "tta-config"
FILES = sorted(Path(__file__).parent.glob("*_test.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_shipped_rules_fire_when_they_should_and_only_then(file: Path) -> None:
    outcomes = run_file(file)
    assert [o.difference() for o in outcomes if not o.is_met] == []


def test_every_shipped_rule_has_a_test_in_which_it_can_be_judged() -> None:
    tested = {
        test["alertname"]
        for file in FILES
        for case in yaml.safe_load(file.read_text())["tests"]
        for test in case["alert_rule_test"]
    }
    judged = {rule.name for rule in load_rules([SHIPPED]) if rule.kind != "error_group"}
    assert judged <= tested


def test_a_test_that_is_not_met_shows_the_difference(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(
        "rule_files: [tta.yaml]\ntests:\n- input_series: [{series: \"tta_active_sessions{component='x'}\", values: 99x9}]\n".replace(
            "'x'", '\\"x\\"'
        )
        + "  alert_rule_test:\n  - {eval_time: 5m, alertname: HighActiveSessions, exp_alerts: [{exp_labels: {component: y}}]}\n"
    )
    (outcome,) = run_file(file)
    assert '- {component="y"}  expected' in outcome.difference()
    assert '+ {component="x"}  firing' in outcome.difference()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1 2 _ 3", [1, 2, None, 3]),
        ("0+10x3", [0, 10, 20, 30]),
        ("5-1x2", [5, 4, 3]),
        ("7x2 _x2", [7, 7, 7, None, None]),
        ("", []),
    ],
)
def test_promtools_notation(text: str, values: list) -> None:
    assert expand(text) == values


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tests: 5", "rule_files"),
        ("{", "YAML"),
        ("rule_files: [nope.yaml]\ntests: []", "nope.yaml"),
        (
            "rule_files: [tta.yaml]\ntests: [{alert_rule_test: [{eval_time: 1m, alertname: Nope}]}]",
            "no rule Nope",
        ),
        (
            "rule_files: [tta.yaml]\ntests: [{input_series: [{series: 'a b', values: '1'}],"
            " alert_rule_test: [{eval_time: 1m, alertname: SlowResponses}]}]",
            "must look like",
        ),
    ],
)
def test_a_wrong_test_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(text)
    with pytest.raises(BadTestFile, match=words):
        run_file(file)


GOOD = "rules:\n- {name: Mine, kind: threshold, severity: info, summary: s, when: {value: {metric: a}, compare: '> 1'}}\n"


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "rules:\n"
        "- {name: One, kind: threshold, severity: loud, summary: s, when: {value: {metric: a}, compare: much}}\n"
        "- {name: Two, kind: ratio, severity: info, summary: '{{ a b }}', colour: red, when: {}}\n"
        "- {name: Tri, kind: threshold, severity: info, summary: s, when: {value: {fact: requests, by: [host]}, compare: '> 1'}}\n"
        "- {name: Sql, kind: sql, severity: info, summary: s, when: {query: 'DROP TABLE seen', compare: '> 1'}}\n"
        "- {name: File, kind: sql, severity: info, summary: s, when: {query: \"SELECT * FROM read_text('/etc/passwd')\", compare: '> 1'}}\n"
    )
    (tmp_path / "b.yaml").write_text("rules: [")
    with pytest.raises(RuleProblem) as problem:
        load_rules([tmp_path])
    text = str(problem.value)
    for words in (
        "a.yaml: rule One: severity", "a.yaml: rule One: when.compare", "rule Two: colour",
        "rule Two: when.part", "has no label host", "must be one SELECT", "may only read", "b.yaml",
    ):  # fmt: skip
        assert words in text, words


def test_a_sites_rule_replaces_the_shipped_one_or_switches_it_off(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        GOOD.replace("Mine", "SlowResponses") + "disable: [HighErrorRate]\n"
    )
    rules = {rule.name: rule for rule in load_rules([SHIPPED, tmp_path])}
    assert rules["SlowResponses"].summary == "s"
    assert "HighErrorRate" not in rules


def test_a_changed_file_is_taken_and_a_wrong_one_keeps_the_rules_before(tmp_path: Path) -> None:
    folders = RuleFolders([tmp_path])
    (tmp_path / "mine.yaml").write_text(GOOD)
    assert folders.refresh() and [r.name for r in folders.rules] == ["Mine"]
    assert not folders.refresh()
    (tmp_path / "mine.yaml").write_text(GOOD + "- {name: Bad}\n")
    assert not folders.refresh()
    assert [r.name for r in folders.rules] == ["Mine"] and folders.mistakes
    (tmp_path / "mine.yaml").write_text(GOOD.replace("Mine", "Other!").replace("Other!", "Other"))
    assert folders.refresh() and folders.mistakes == ()


def test_templates_take_labels_and_the_value() -> None:
    assert rendered("{{ $labels.a }}-{{b}} {{ value }}", {"a": "x"}, 1.5) == "x- 1.5"


@pytest.mark.skipif(not TTA.is_dir(), reason="TTA's configuration is not here")
def test_every_rule_of_tta_is_in_the_table_of_what_replaces_it() -> None:
    table = (SHIPPED / "tta.yaml").read_text().partition("rules:\n")[0]
    names = [
        rule["alert"]
        for file in TTA.glob("rules*/*.yml")
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
    ]
    assert len(names) == 30
    assert [name for name in names if name not in table] == []
