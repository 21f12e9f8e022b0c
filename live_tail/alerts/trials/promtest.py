"""Unit tests of alert rules, in the manner of `promtool test rules`.

Here: running test files in simulated time, the difference to what was expected. Not here: their form
(`promtest_files`), what they send (`promtest_input`), arguments and exit codes (`tta_monitor/commands`).

A test begins on Monday, 5 January 2026, 12:00 UTC.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from live_tail.alerts.reading.seasons import Hours
from live_tail.alerts.rules.rule_files import SHIPPED, load_rules
from live_tail.alerts.rules.rule_spec import Anomaly
from live_tail.alerts.trials.promtest_files import (
    AlertTest,
    BadTestFile,
    Case,
    TestFile,
    read_test_file,
)
from live_tail.alerts.trials.promtest_input import START, Row, expand, facts_of, landed
from live_tail.alerts.trials.simulate import Simulation
from live_tail.alerts.words.rule_records import Rule, labels_of


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
    file = read_test_file(path)
    rules = _rules(path, file)
    return [outcome for case in file.tests for outcome in _run(path.name, file, case, rules)]


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
    facts = sorted(facts_of(name, case), key=lambda fact: fact[0])
    pending = sorted(case.alert_rule_test, key=lambda test: test.eval_time)
    outcomes: list[Outcome] = []
    now, position = timedelta(0), 0
    while pending:
        arrived: dict[str, list[Row]] = {}
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
