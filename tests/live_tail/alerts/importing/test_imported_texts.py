"""Templates, labels and names of imported rules: what they become and what they cost."""

from pathlib import Path

import pytest
import yaml

from live_tail.alerts.importing.importer import Imported
from live_tail.alerts.importing.texts import NoText, text_of
from live_tail.alerts.rules.rule_files import rendered
from privacy.site_policy import Decision, merged
from tests.live_tail.alerts.importing.test_importer import import_from


def _one(folder: Path, **entry) -> Imported:
    rule = {"alert": "Odd", "expr": "a > 1", **entry}
    good = {"alert": "Good", "expr": "b > 1"}
    imported = import_from(
        folder, yaml.safe_dump({"groups": [{"name": "g", "rules": [rule, good]}]})
    )
    assert imported.rules[-1]["name"] == "Good"
    return imported


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ $labels.instance }} {{$value}}", "{{ instance }} {{ value }}"),
        ("{{- .Labels.a -}} x", "{{ a }}x"),
        ('{{ printf "%.2f" $value }}/s', "{{ value }}/s"),
        ('{{ printf "%s at %.1f%%" $labels.a $value }}', "{{ a }} at {{ value }}%"),
        ('{{ $value | printf "%.2f" }}', "{{ value }}"),
        ("{{ $value | humanize }} {{ humanizePercentage $value }}", "{{ value }} {{ value }}"),
        ("{{ $value | humanize1024 | title }}", "{{ value }}"),
        ("{{ $labels }}", "{{ labels }}"),
        ('{{ index $labels "a" }}', "{{ a }}"),
        ('{{ reReplaceAll "(.*):.*" "$1" $labels.instance }}', "{{ instance }}"),
        ('{{ "{{" }} a {{/* why */}}b', "{{ a b"),
        ("no template", "no template"),
    ],
)  # fmt: skip
def test_a_template_becomes_what_it_shows(template: str, text: str) -> None:
    assert text_of(template) == text


@pytest.mark.parametrize(
    "template",
    [
        "{{ if gt $value 1.0 }}a{{ end }}",
        '{{ range query "up" }}{{ .Value }}{{ end }}',
        '{{ with query "a" }}{{ . | first | value }}{{ end }}',
        "{{ $x := $value }}",
        "{{ $externalURL }}",
        "{{ humanizeDuration 300 }}",
        "{{ ~ }}",
        "{{ }}",
    ],
)
def test_a_template_without_a_counterpart_costs_its_annotation_only(
    tmp_path: Path, template: str
) -> None:
    with pytest.raises(NoText):
        text_of(template)
    imported = _one(tmp_path, annotations={"summary": template, "description": "x {{ $value }}"})
    odd = imported.rules[0]
    assert (odd["summary"], odd["effect"]) == ("Odd", "x {{ value }}")
    assert [name for name, what in imported.lost if "annotation summary" in what] == ["Odd"]


def test_all_labels_are_told_where_a_text_shows_them() -> None:
    assert rendered("{{ labels }}: {{ value }}", {"b": "2", "a": "1"}, 3.5) == "a=1, b=2: 3.5"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"for": "1 day"}, "must be a duration"),
        ({"expr": "rate(a[1y]) > 1"}, "must be a duration"),
        ({"expr": 'a{status=~"("} > 1'}, "pattern of status"),
        ({"labels": "x"}, "labels must be a mapping"),
        ({"expr": None}, "no comparison"),
        ({"expr": 'a{pod="x"} > 1'}, "label pod is not kept here"),
        ({"expr": "sum by (route) (a{pod=~'x.+'}) > 1"}, "label pod is not kept here"),
        ({"expr": 'a{player_id="x"} > 1'}, "pseudonym"),
    ],
)
def test_what_is_wrong_with_one_rule_costs_that_rule(
    tmp_path: Path, entry: dict, reason: str
) -> None:
    ((name, why),) = _one(tmp_path, **entry).refused
    assert (name, reason in why) == ("Odd", True), why


@pytest.mark.parametrize("matcher", ['pod!="x"', 'pod!~"x|y"', 'pod=~".*"', 'pod=""'])
def test_a_matcher_that_holds_without_its_label_is_kept(tmp_path: Path, matcher: str) -> None:
    assert _one(tmp_path, expr=f"a{{{matcher}}} > 1").refused == []


def test_a_label_that_the_site_keeps_may_be_matched(tmp_path: Path) -> None:
    text = "groups: [{name: g, rules: [{alert: Odd, expr: 'a{pod=\"x\"} > 1'}]}]"
    assert import_from(tmp_path, text, allowed=merged({"pod": Decision.ALLOW})).refused == []


def test_labels_of_a_scrape_may_be_matched(tmp_path: Path) -> None:
    expr = 'max by (instance) (a{job="web",instance=~"127.*",le="1"}) > 1'
    imported = _one(tmp_path, expr=expr)
    assert (imported.refused, imported.lost) == ([], [])


def test_what_a_rule_loses_is_told(tmp_path: Path) -> None:
    imported = _one(
        tmp_path,
        expr="sum by (pod) (a) > 1",
        labels={"severity": "P1", "link": "{{ $externalURL }}"},
        annotations={"dashboard": "x"},
        limit=3,
    )
    told = " | ".join(what for name, what in imported.lost if name == "Odd")
    for word in (
        "label pod is not kept",
        "severity",
        "label link",
        "annotation dashboard",
        "limit",
    ):
        assert word in told
