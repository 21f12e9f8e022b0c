"""Rule files of Prometheus, of Alertmanager and of ours, scrape jobs and rule tests, and odd ones.

Here: texts of the files that people bring along. Not here: spoiling bytes (`mutations`).
"""

from functools import cache
from pathlib import Path
from random import Random

import yaml

from live_tail.alerts.rules.rule_files import SHIPPED
from tests.fuzz.mutations import ODD_NUMBERS, ODD_WORDS

_PROMETHEUS = """\
groups:
  - name: shop
    interval: 30s
    labels: {team: shop}
    rules:
      - alert: HighErrors
        expr: sum by (job) (rate(http_requests_total{status=~"5.."}[5m])) / sum by (job) (rate(http_requests_total[5m])) > 0.05
        for: 10m
        labels: {severity: page}
        annotations: {summary: "{{ $labels.job }} fails", description: "{{ $value | humanize }}", runbook_url: "https://x/y"}
      - alert: Down
        expr: up == 0
        for: 5m
      - record: job:errors:rate5m
        expr: sum by (job) (rate(errors_total[5m]))
      - alert: Slow
        expr: histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m]))) > 0.5  # slow
"""
_KUBERNETES = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: x}
spec:
  groups:
    - name: kube
      rules:
        - alert: PodRestarts
          expr: increase(kube_pod_container_status_restarts_total[1h]) > 3
          labels: {severity: warning}
        - alert: NoDisk
          expr: predict_linear(node_filesystem_avail_bytes[6h], 4 * 3600) < 0
          for: 1h30m
"""
_ALERTMANAGER = """\
global: {resolve_timeout: 5m}
route:
  receiver: team
  group_by: [alertname, job]
  routes: [{matchers: ['severity="page"'], receiver: pager}]
receivers: [{name: team}, {name: pager, webhook_configs: [{url: "http://x/"}]}]
inhibit_rules: [{source_matchers: [severity="critical"], target_matchers: [severity="warning"], equal: [job]}]
"""
_JOBS = """\
global: {scrape_interval: 15s}
scrape_configs:
  - job_name: node
    metrics_path: /metrics
    params: {"match[]": [a, b]}
    static_configs: [{targets: ["localhost:9100"], labels: {env: prod}}]
    relabel_configs: [{source_labels: [__address__], regex: "(.*):.*", target_label: host, replacement: "$1"}]
    metric_relabel_configs: [{source_labels: [__name__], regex: "go_.*", action: drop}]
"""
_EXPRESSIONS = (
    "up == 0", "rate(a_total[5m]) > 1", "a / b > 0.5 and c < 2", "absent(up{job='x'})", "sum(a) BY (b) > 1", "a[5m]",
    "topk(3, a) > 1", "a offset 5m > 1", "(((((a)))))", "a > bool 1", "1 > a", "vector(1)", "", "a{b=~'('} > 0",
    "avg_over_time(a[1h:5m]) > 2", "a unless b", "-a > 1", "a ^ 2 > 1", "# only a comment", "count(a) by (le) > 1",
    "histogram_quantile(2, a_bucket) > 1", "sum without (x) (a) > 1e309", "a @ end() > 1", "label_replace(a) > 1",
)  # fmt: skip
_DURATIONS = ("5m", "0s", "-5m", "1y", "9999999999h", "5", "", "1h30m", "99999999999999999999d")


@cache
def sound() -> list[bytes]:
    """Files that are as they should be, the shipped ones among them."""
    shipped = [path.read_bytes() for path in sorted(Path(SHIPPED).glob("*.yaml"))]
    return [
        _PROMETHEUS.encode(),
        _KUBERNETES.encode(),
        _ALERTMANAGER.encode(),
        _JOBS.encode(),
        *shipped,
    ]


def rule_file(chance: Random) -> bytes:
    """A file of Prometheus' form with rules that are odd in one of many ways."""
    rules = [_rule(chance) for _ in range(chance.randrange(1, 4))]
    groups = [
        {
            "name": chance.choice(("a", "", None, 5)),
            "rules": chance.choice((rules, rules, rules, None, {}, "x")),
        }
    ]
    tree = chance.choice(
        ({"groups": groups}, {"spec": {"groups": groups}}, {"items": [{"groups": groups}]}, groups)
    )
    return yaml.safe_dump(tree).encode()


def _rule(chance: Random) -> object:
    if chance.random() < 0.1:
        return chance.choice((None, "x", [], 5, {}, {"record": "a:b", "expr": "sum(a)"}))
    rule: dict[str, object] = {
        "alert": chance.choice(("A", "Down", "", 5, None, "x y", "é" * 90, ["a"])),
        "expr": chance.choice((*_EXPRESSIONS, 5, None, [], f"a > {chance.choice(ODD_NUMBERS)}")),
    }
    if chance.random() < 0.6:
        rule["for"] = chance.choice((*_DURATIONS, 5, None, []))
    if chance.random() < 0.5:
        rule["labels"] = chance.choice(
            ({"severity": "page"}, {"severity": 5}, {"a": chance.choice(ODD_WORDS)}, [], "x")
        )
    if chance.random() < 0.5:
        text = chance.choice(
            (*ODD_WORDS, "{{ $labels.a }}", "{{ $value | humanize }}", "{{ if }}", "{{ end }} {{")
        )
        rule["annotations"] = chance.choice(
            ({"summary": text}, {"description": text, 5: 6}, None, [text])
        )
    return rule
