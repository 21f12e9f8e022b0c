"""Prometheus rule files: what translates is valid, what does not says why, rule by rule."""

from pathlib import Path

import pytest
import yaml

from live_tail.alerts.importing.importer import (
    Imported,
    Untranslatable,
    import_file,
    translate,
)
from live_tail.alerts.rules.rule_files import load_rules
from tests.conftest import ROOT

TTA = ROOT.parent / "shared" / "data" / "tta-config"


def import_from(folder: Path, text: str, **more) -> Imported:
    file = folder / "alerts.yml"
    file.write_text(text)
    imported = import_file(file, **more)
    (folder / "ours").mkdir(exist_ok=True)
    (folder / "ours" / "alerts.yaml").write_text(imported.as_yaml())
    assert len(load_rules([folder / "ours"])) == len(imported.rules)
    return imported


@pytest.mark.parametrize(
    ("expression", "kind", "when"),
    [
        ("up == 0", "threshold", {"value": {"metric": "up"}, "compare": "== 0"}),
        (
            'rate(x_total{code=~"5..",job!="a"}[5m]) > 0.5',
            "threshold",
            {
                "value": {
                    "metric": "x_total",
                    "where": {"code": "~5..", "job": "!a"},
                    "over": "5m",
                    "value": "rate",
                },
                "compare": "> 0.5",
            },
        ),
        (
            "histogram_quantile(0.95, sum by (le, route) (rate(d_bucket[5m]))) > 2",
            "threshold",
            {
                "value": {"metric": "d", "over": "5m", "value": "p95", "by": ["route"]},
                "compare": "> 2",
            },
        ),
        (
            "100 < a / b * 100",
            "threshold",
            {
                "value": {
                    "op": "multiply",
                    "left": {"op": "divide", "left": {"metric": "a"}, "right": {"metric": "b"}},
                    "right": 100.0,
                },
                "compare": "> 100",
            },
        ),
        (
            "p > 1.5 * max_over_time(p[10m] offset 1h)",
            "threshold",
            {
                "value": {"metric": "p"},
                "operator": ">",
                "than": {
                    "op": "multiply",
                    "left": 1.5,
                    "right": {"metric": "p", "over": "10m", "offset": "1h", "value": "max"},
                },
            },
        ),
        (
            "SUM BY (route) (a) # per route\n  > 5 # many",
            "threshold",
            {"value": {"aggregate": "sum", "by": ["route"], "of": {"metric": "a"}}, "compare": "> 5"},
        ),
        ("m > 1073741824", "threshold", {"value": {"metric": "m"}, "compare": "> 1073741824"}),
        ("m > .000000123456789", "threshold",
         {"value": {"metric": "m"}, "compare": "> 1.23456789e-07"}),
        ("m == 0x10", "threshold", {"value": {"metric": "m"}, "compare": "== 16"}),
        ('{"a.b", `c`=~`\\d#.`} > 1', "threshold",
         {"value": {"metric": "a.b", "where": {"c": "~\\d#."}}, "compare": "> 1"}),
        ('{__name__="a"} > 1', "threshold", {"value": {"metric": "a"}, "compare": "> 1"}),
        ("count > 1", "threshold", {"value": {"metric": "count"}, "compare": "> 1"}),
        ("absent_over_time(up[1h])", "absence",
         {"select": {"metric": "up", "over": "1h"}, "once_seen": False}),
        ("absent(up{job='x'})", "absence",
         {"select": {"metric": "up", "where": {"job": "x"}}, "once_seen": False}),
    ],
)  # fmt: skip
def test_an_expression_becomes_a_rule(expression: str, kind: str, when: dict) -> None:
    assert translate(expression) == (kind, when)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("a > 1 and b > 2", "`and`"),
        ("a / on(x) b > 1", "`on`"),
        ("predict_linear(a[1h], 3600) < 0", "predict_linear"),
        ("sum without (x) (a) > 1", "without"),
        ("rate(a[5m:1m]) > 1", "subquery"),
        ("a", "no comparison"),
        ("a > bool 1", "bool"),
        ("(a > 1) > 2", "comparison inside"),
        ("a % 2 > 1", "operator %"),
        ("a + on(x) b > 1", "`on`"),
        ("a > 1 UNLESS b > 2", "`unless`"),
        ("1 > 2", "two numbers"),
        ('{job="x"} > 1', "name of one metric"),
        ('a{x="~b"} > 1', "begins with"),
        ('a{x!="~b"} > 1', "begins with"),
        ('a{x!="b",x!="c"} > 1', "two matchers"),
        ("", "cannot be read"),
        ("a $ b", "cannot be read"),
    ],
)
def test_what_does_not_translate_says_why(expression: str, reason: str) -> None:
    with pytest.raises(Untranslatable, match=reason):
        translate(expression)


def test_a_file_keeps_what_translates_and_lists_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "alerts.yml"
    file.write_text(
        "groups:\n- name: g\n  interval: 30s\n  rules:\n"
        "  - alert: Hot\n    expr: temperature > 30\n    for: 5m\n"
        "    labels: {severity: page, team: ops}\n"
        "    annotations: {summary: '{{ $labels.host }} is at {{ $value | humanize }}'}\n"
        "  - record: r\n    expr: sum(a)\n"
    )
    imported = import_file(file)
    assert imported.refused == [("r", "a recording rule; select the metric itself")]
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "alerts.yaml").write_text(imported.as_yaml())
    (rule,) = load_rules([tmp_path / "ours"])
    assert (rule.name, rule.severity, rule.summary) == (
        "Hot", "critical", "{{ host }} is at {{ value }}",
    )  # fmt: skip
    assert (rule.hold_for.total_seconds(), rule.every.total_seconds()) == (300, 30)


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    file = tmp_path / "x.yml"
    file.write_text("groups: 5")
    with pytest.raises(Untranslatable, match="no Prometheus rule file"):
        import_file(file)


@pytest.mark.skipif(not TTA.is_dir(), reason="TTA's configuration is not here")
def test_all_thirty_rules_of_tta_translate(tmp_path: Path) -> None:
    count = 0
    for file in sorted(TTA.glob("rules*/*.yml")):
        imported = import_file(file)
        assert imported.refused == []
        count += len(imported.rules)
        (tmp_path / f"{file.stem}.yaml").write_text(imported.as_yaml())
    assert count == len(load_rules([tmp_path])) == 30


def test_names_are_what_rules_here_may_have_and_are_given_once(tmp_path: Path) -> None:
    rules = [
        {"alert": name, "expr": "a > 1"}
        for name in ("x y", "x y", "5xx", "ü", "n" * 99, "Taken", "Idle")
    ]
    text = yaml.safe_dump({"groups": [{"name": "g", "rules": rules}]})
    imported = import_from(tmp_path, text, taken={"Taken"}, shipped={"Idle"})
    assert [rule["name"] for rule in imported.rules] == [
        "x_y", "x_y_2", "Alert_5xx", "Alert__", "n" * 76, "Taken_2", "Idle",
    ]  # fmt: skip
    assert ("Idle", "it replaces the shipped rule of this name") in imported.lost


def test_what_needs_a_recorded_series_says_so(tmp_path: Path) -> None:
    text = (
        "groups: [{name: g, rules: [{record: 'job:a:rate', expr: 'rate(a[5m])'},"
        " {alert: Odd, expr: 'job:a:rate > 1'}]}]"
    )
    assert ("Odd", "it needs the result of a recording rule") in import_from(tmp_path, text).refused


_GROUPS = "groups: [{name: g, labels: {team: ops}, rules: [{alert: Hot, expr: a > 1}]}, {name: empty, rules: }]"


@pytest.mark.parametrize(
    "text",
    [
        _GROUPS,
        f"---\n---\n{_GROUPS}\n---\n",
        f"kind: PrometheusRule\nspec: {{{_GROUPS}}}",
        f"kind: List\nitems: [{{kind: PrometheusRule, spec: {{{_GROUPS}}}}}]",
    ],
)
def test_rules_are_found_in_every_form_of_file(tmp_path: Path, text: str) -> None:
    (rule,) = import_from(tmp_path, text).rules
    assert (rule["name"], rule["labels"]) == ("Hot", {"team": "ops"})
