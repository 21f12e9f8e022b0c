"""Prometheus rule files: what translates is valid, what does not says why."""

from pathlib import Path

import pytest

from live_tail.alerts.importer import Untranslatable, import_file, translate
from live_tail.alerts.rule_files import load_rules
from tests.conftest import ROOT

TTA = ROOT.parent / "shared" / "data" / "tta-config"


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
