"""Unit tests of alert rules, in the manner of `promtool test rules`.

Here: test files (series in promtool's notation, spans, probes), running them in simulated time, the
difference to what was expected. Not here: arguments and exit codes (`tta_monitor/commands`).

    rule_files: [dependencies.yaml]        # names beside the test file, or shipped rule files
    evaluation_interval: 15s
    tests:
      - name: Redis is down
        interval: 30s
        input_series:
          - series: tta_service_up{service="redis"}
            values: "1x4 0x4 1x4"          # 1x4 = five ones; 0+10x5 = 0 10 20 … 50; _ = no value
        input_spans:
          - {component: api, name: GET, status: ERROR, every: 5s, from: 60s, to: 120s, attributes: {}}
        input_history:                     # of a rule with a season: one value an hour, the last
          - {alertname: FewerRequests, labels: {component: api}, weeks: 4, values: "100x167"}
        alert_rule_test:                   # one for the hour before the test begins
          - eval_time: 3m
            alertname: DependencyDown
            exp_alerts: [{exp_labels: {dependency: redis}}]
          - {eval_time: 3m, alertname: FewerRequests, exp_unjudged: not enough history}

A test begins on Monday, 5 January 2026, 12:00 UTC.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingestion.contracts import LANDED
from live_tail.alerts.rules.rule_files import SHIPPED, RuleProblem, load_rules
from live_tail.alerts.rules.seasons import WEEKS, Hours
from live_tail.alerts.rules.spec import Anomaly, Duration
from live_tail.alerts.trials.simulate import Simulation
from live_tail.alerts.words.model import Rule, labels_of

_Row = dict[str, Any]
_Fact = tuple[timedelta, str, _Row]
START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
_SERIES = re.compile(r"^\s*([A-Za-z_:][\w:.]*)\s*(?:\{(.*)\})?\s*$")
_LABEL = re.compile(r'\s*([A-Za-z_][\w.]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_STEP = re.compile(r"^(-?[\d.]+(?:e-?\d+)?)(?:([+-])([\d.]+(?:e-?\d+)?))?x(\d+)$")
_REPEAT = re.compile(r"^_x(\d+)$")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SeriesInput(_Strict):
    """A series; labels `component`, `environment` and `host` are columns of their own."""

    series: str
    values: str
    kind: Literal["gauge", "counter", "delta"] | None = None


class SpanInput(_Strict):
    """A span repeated `every` so often in [from, to)."""

    component: str = "api"
    name: str = "GET /x"
    kind: str = "SERVER"
    status: Literal["UNSET", "OK", "ERROR"] = "UNSET"
    duration: Duration = timedelta(milliseconds=20)
    attributes: dict[str, str | int | float | bool] = Field(default_factory=dict)
    exception_type: str = ""
    every: Duration = timedelta(seconds=5)
    start: Duration = Field(timedelta(0), alias="from")
    to: Duration


class HistoryInput(_Strict):
    """Values by the hour that end where the test begins, `weeks` times over, for a seasonal rule."""

    alertname: str
    labels: dict[str, str] = Field(default_factory=dict)
    weeks: int = Field(1, ge=1, le=WEEKS)
    values: str


class Expected(_Strict):
    """Labels of one alert that fires; all of them, or with `partial` at least these."""

    exp_labels: dict[str, str] = Field(default_factory=dict)


class AlertTest(_Strict):
    """What fires at a time; `exp_unjudged` is how the reason begins why some series are not judged."""

    eval_time: Duration
    alertname: str
    exp_alerts: list[Expected] = Field(default_factory=list)
    exp_unjudged: str = ""


class Case(_Strict):
    """One test: input and expectations."""

    name: str = ""
    interval: Duration = timedelta(minutes=1)
    input_series: list[SeriesInput] = Field(default_factory=list)
    input_spans: list[SpanInput] = Field(default_factory=list)
    input_history: list[HistoryInput] = Field(default_factory=list)
    alert_rule_test: list[AlertTest]


class TestFile(_Strict):
    """The whole of a test file."""

    __test__ = False
    rule_files: list[str]
    evaluation_interval: Duration = timedelta(seconds=15)
    tests: list[Case]


class BadTestFile(Exception):
    """The file is wrong; the message names it, every mistake and the fix."""


@dataclass(frozen=True)
class Outcome:
    """One expectation: `expected` and `got` are sorted label texts."""

    file: str
    test: str
    alert: str
    at: timedelta
    expected: tuple[str, ...]
    got: tuple[str, ...]

    @property
    def is_met(self) -> bool:
        """Whether exactly the expected alerts fired."""
        return self.expected == self.got

    def difference(self) -> str:
        """A readable difference, empty when there is none."""
        if self.is_met:
            return ""
        missing = [
            f"    - {one}  expected, not firing" for one in self.expected if one not in self.got
        ]
        extra = [
            f"    + {one}  firing, not expected" for one in self.got if one not in self.expected
        ]
        head = f"{self.file}: {self.test}: {self.alert} at {self.at.total_seconds():g} s"
        return "\n".join([head, *missing, *extra])


def run_file(path: Path) -> list[Outcome]:
    """Run the tests of a file; raises BadTestFile, or RuleProblem for its rules."""
    file = _read(path)
    rules = _rules(path, file)
    return [outcome for case in file.tests for outcome in _run(path.name, file, case, rules)]


def expand(text: str) -> list[float | None]:
    """Promtool's notation as values, None where there is no sample; raises ValueError."""
    values: list[float | None] = []
    for part in text.split():
        if part in {"_", "stale"}:
            values.append(None)
        elif blank := _REPEAT.match(part):
            values += [None] * int(blank[1])
        elif found := _STEP.match(part):
            first, step = float(found[1]), float(found[3] or 0)
            step = -step if found[2] == "-" else step
            values += [first + step * n for n in range(int(found[4]) + 1)]
        else:
            values.append(float(part))
    return values


def _read(path: Path) -> TestFile:
    try:
        return TestFile.model_validate(yaml.safe_load(path.read_text()))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadTestFile(f"{path} cannot be read as YAML ({type(error).__name__}).") from None
    except ValidationError as error:
        mistakes = "; ".join(
            f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()
        )
        raise BadTestFile(f"{path} is no test file: {mistakes}.") from None


def _rules(path: Path, file: TestFile) -> dict[str, Rule]:
    rules: dict[str, Rule] = {}
    for name in file.rule_files:
        chosen = next((f for f in (path.parent / name, SHIPPED / name) if f.is_file()), None)
        if chosen is None:
            raise BadTestFile(f"{path}: rule_files: there is no {name} beside it or shipped.")
        rules |= {rule.name: rule for rule in load_rules([chosen])}
    return rules


def _run(name: str, file: TestFile, case: Case, rules: dict[str, Rule]) -> list[Outcome]:
    wanted = {test.alertname for test in case.alert_rule_test}
    unknown = sorted(wanted - set(rules))
    if unknown:
        raise BadTestFile(f"{name}: there is no rule {', '.join(unknown)} in its rule files.")
    chosen = [rules[n] for n in sorted(wanted)]
    simulation = Simulation(chosen, START, hours=_history(name, case, rules))
    facts = sorted(_facts(name, case), key=lambda fact: fact[0])
    pending = sorted(case.alert_rule_test, key=lambda test: test.eval_time)
    outcomes: list[Outcome] = []
    now, position = timedelta(0), 0
    while pending:
        arrived: dict[str, list[_Row]] = {}
        while position < len(facts) and facts[position][0] <= now:
            _, signal, row = facts[position]
            arrived.setdefault(signal, []).append(row)
            position += 1
        simulation.now = START + now
        simulation.ingest({s: [landed(s, rows)] for s, rows in arrived.items()})
        simulation.advance(START + now)
        while pending and pending[0].eval_time < now + file.evaluation_interval:
            outcomes.append(_outcome(name, case, pending.pop(0), simulation))
        now += file.evaluation_interval
    return outcomes


def _outcome(file: str, case: Case, test: AlertTest, simulation: Simulation) -> Outcome:
    firing = [one.labels for one in simulation.active() if one.rule == test.alertname]
    if cause := simulation.failed.get(test.alertname):
        firing.append({"rule failed": cause})
    expected = [_text(one.exp_labels) for one in test.exp_alerts]
    got = [*map(_text, firing)]
    if test.exp_unjudged:
        why = simulation.unjudged_now.get(test.alertname, "all series are judged")
        expected.append(f"not judged: {test.exp_unjudged}")
        got.append(f"not judged: {test.exp_unjudged if why.startswith(test.exp_unjudged) else why}")
    return Outcome(
        file,
        case.name or "test",
        test.alertname,
        test.eval_time,
        tuple(sorted(expected)),
        tuple(sorted(got)),
    )


def _history(file: str, case: Case, rules: dict[str, Rule]) -> Hours:
    hours = Hours()
    end = START.replace(tzinfo=None)
    for one in case.input_history:
        when = rules[one.alertname].spec.get("when") if one.alertname in rules else None
        if not isinstance(when, Anomaly) or not when.season:
            raise BadTestFile(
                f"{file}: {case.name}: input_history: {one.alertname} is no rule with a season."
            )
        try:
            values = expand(one.values) * one.weeks
        except ValueError as error:
            raise BadTestFile(f"{file}: {case.name}: input_history: {error}.") from None
        for ago, value in enumerate(reversed(values), start=1):
            if value is not None:
                hour = end - timedelta(hours=ago)
                hours.fill(when.select, labels_of(one.labels), hour, value)
    return hours


def _text(labels: dict[str, str]) -> str:
    return "{" + ", ".join(f'{k}="{v}"' for k, v in sorted(labels.items()) if v) + "}"


def _facts(file: str, case: Case) -> list[_Fact]:
    found: list[_Fact] = []
    try:
        for series in case.input_series:
            found += _points(series, case.interval)
    except ValueError as error:
        raise BadTestFile(f"{file}: {case.name}: input_series: {error}.") from None
    for number, span in enumerate(case.input_spans):
        found += _spans(span, number)
    return found


def _points(series: SeriesInput, interval: timedelta) -> list[_Fact]:
    match = _SERIES.match(series.series)
    if not match:
        raise ValueError(f'{series.series!r} must look like name{{label="value"}}')
    labels = dict(_LABEL.findall(match[2] or ""))
    metric = match[1]
    kind = series.kind or ("counter" if metric.endswith(("_total", "_count", "_sum")) else "gauge")
    found = []
    for number, value in enumerate(expand(series.values)):
        if value is None:
            continue
        at = number * interval
        row = {
            "metric": metric,
            "kind": "gauge" if kind == "gauge" else "sum",
            "temporality": {"counter": "cumulative", "delta": "delta"}.get(kind),
            "is_monotonic": None if kind == "gauge" else True,
            "event_at": (START + at).replace(tzinfo=None),
            "component": labels.get("component", "test"),
            "environment": labels.get("environment"),
            "host": labels.get("host"),
            "attributes": [(k, v) for k, v in labels.items() if k not in _COLUMNS],
            "value": value,
        }
        found.append((at, "metric_points", row))
    return found


_COLUMNS = {"component", "environment", "host"}


def _spans(span: SpanInput, number: int) -> list[_Fact]:
    found = []
    at, count = span.start, 0
    while at < span.to:
        count += 1
        begun = (START + at).replace(tzinfo=None)
        events = [("exception.type", span.exception_type)] if span.exception_type else []
        row = {
            "trace_id": (number * 1_000_000 + count).to_bytes(16, "big"),
            "span_id": (number * 1_000_000 + count).to_bytes(8, "big"),
            "name": span.name,
            "kind": span.kind,
            "start_at": begun,
            "duration_ns": int(span.duration.total_seconds() * 1e9),
            "status_code": span.status,
            "component": span.component,
            "attributes": [(k, str(v)) for k, v in span.attributes.items()],
            "events": [{"event_at": begun, "name": "exception", "attributes": events}]
            if events
            else [],
        }
        found.append((at, "spans", row))
        at += span.every
    return found


def landed(signal: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as a landed table; what a row lacks is empty."""
    schema = LANDED[signal]
    times = {"spans": "start_at", "metric_points": "event_at", "logs": "event_at"}
    defaults: dict[str, Any] = {
        "resource_attributes": "{}", "attributes": [], "events": [], "links": [], "exemplars": [],
        "flags": 0, "severity_number": 0,
    }  # fmt: skip
    full = [{**defaults, "received_at": row[times[signal]], **row} for row in rows]
    return pa.Table.from_pylist(
        [{n: row.get(n) for n in schema.names} for row in full], schema=schema
    )


__all__ = ["BadTestFile", "Outcome", "RuleProblem", "expand", "landed", "run_file"]
