"""The form of a test file of alert rules, in the manner of `promtool test rules`.

Here: what a file may say, checked as it is read. Not here: what its series and spans become
(`promtest_input`), running it (`promtest`).

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

from datetime import timedelta
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from live_tail.alerts.reading.seasons import WEEKS
from live_tail.alerts.reading.selecting import Duration


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


def read_test_file(path: Path) -> TestFile:
    """A test file; raises BadTestFile."""
    try:
        return TestFile.model_validate(yaml.safe_load(path.read_text()))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadTestFile(f"{path} cannot be read as YAML ({type(error).__name__}).") from None
    except ValidationError as error:
        mistakes = "; ".join(
            f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()
        )
        raise BadTestFile(f"{path} is no test file: {mistakes}.") from None
