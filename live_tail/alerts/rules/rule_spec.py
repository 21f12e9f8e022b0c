"""What a rule file may say: typed fields of every kind of rule, checked as they are read.

Here: pydantic models and nothing that acts. Not here: what a condition selects
(`live_tail/alerts/reading/selecting`), files and reloading (`rule_files`), evaluation (`evaluate`).
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Literal

from pydantic import Field, model_validator

from live_tail.alerts.reading.selecting import (
    Aggregate,
    Combine,
    Comparison,
    Duration,
    Expr,
    Select,
    Sql,
    Strict,
    Where,
)
from live_tail.alerts.words.rule_records import Severity


class Threshold(Strict):
    """`value` compared with a number, or with `than` times `times`."""

    value: Expr
    compare: Comparison | None = None
    operator: Literal[">", ">=", "<", "<="] = ">"
    than: Expr | None = None
    at_least: Expr | None = None
    min_events: float = 0

    @model_validator(mode="after")
    def _compared(self) -> "Threshold":
        if (self.compare is None) == (self.than is None):
            raise ValueError("needs either compare or than")
        return self


def selects_of(when: Threshold) -> Iterator[Select]:
    """Every series or fact that a threshold reads."""
    waiting: list[Expr | None] = [when.value, when.than, when.at_least]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Select):
            yield one
        elif isinstance(one, Combine):
            waiting += [one.left, one.right]
        elif isinstance(one, Aggregate):
            waiting.append(one.of)


class Ratio(Strict):
    """`part` of `whole` compared with a number.

    Judged only from `min_events` in the whole and `min_bad` in the part on.
    """

    part: Expr
    whole: Expr
    compare: Comparison
    min_events: float = 0
    min_bad: float = 0


class Absence(Strict):
    """Nothing was seen; with `once_seen` only what was seen earlier in the window is missed."""

    select: Select
    once_seen: bool = True


class BurnRate(Strict):
    """Share of bad events above `error_pct` in both windows, from the minute counts.

    Few events say little: judged only from `min_events` in the long window, `min_events_short` in the
    short one and `min_bad` failures on. The short window says that it goes on: what arrived as history
    does not count in it.
    """

    error_pct: float = Field(gt=0, le=100)
    long: Duration
    short: Duration | None = None
    min_events: int = Field(100, ge=1)
    min_events_short: int = Field(1, ge=1)
    min_bad: int = Field(5, ge=1)
    where: Where = Field(default_factory=dict)


class ErrorGroup(Strict):
    """Error groups that became new, regressed or escalating within `over`.

    A digest: one alert for each set of labels `by`, which lists its groups. A rule's `min_history`
    counts for each group: what a component has had since it was first heard of is not new.
    """

    states: list[Literal["new", "regressed", "escalating"]]
    over: Duration = timedelta(hours=1)
    where: Where = Field(default_factory=dict)
    by: list[Literal["component", "environment", "state", "group", "is_content_delivery"]] = Field(
        default_factory=lambda: ["component", "environment"]
    )


class _Points(Strict):
    """What is judged by the points of a metric in the window, once they reach back `min_span`."""

    select: Select
    min_span: Duration = timedelta(0)

    def _needs_points(self) -> None:
        if self.select.fact:
            raise ValueError("select needs a metric: a fact has no points to look back on")


class Forecast(_Points):
    """The series is on its way to `limit` and reaches it within `within`."""

    limit: float
    within: Duration
    direction: Literal["up", "down"] = "up"
    method: Literal["theil_sen", "damped_holt"] = "theil_sen"
    min_points: int = Field(10, ge=3)

    @model_validator(mode="after")
    def _has_points(self) -> "Forecast":
        self._needs_points()
        return self


class Anomaly(_Points):
    """The last value is far from the median of the series itself.

    With `season: week` any value of a metric or fact is compared with what it was at the same hour
    of the weeks before (UTC), from `min_weeks` weeks on.
    """

    deviations: float = Field(6, gt=0)
    direction: Literal["up", "down", "both"] = "both"
    min_absolute: float = Field(0, ge=0)
    min_relative: float = Field(0.2, ge=0)
    min_points: int = Field(20, ge=5)
    season: Literal["week"] | None = None
    min_weeks: int = Field(3, ge=2, le=8)

    @model_validator(mode="after")
    def _has_history(self) -> "Anomaly":
        if self.season is None:
            self._needs_points()
        return self


KINDS: dict[str, type[Strict]] = {
    "threshold": Threshold,
    "ratio": Ratio,
    "absence": Absence,
    "burn_rate": BurnRate,
    "error_group": ErrorGroup,
    "forecast": Forecast,
    "anomaly": Anomaly,
    "sql": Sql,
}


class InhibitionSpec(Strict):
    """See `model.Inhibition`."""

    targets: dict[str, str] = Field(default_factory=dict)
    equal: list[str] = Field(default_factory=list)
    by_use: bool = False


class RuleSpec(Strict):
    """The fields every rule has; its kind's own fields are under `when`."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{2,79}$")
    kind: Literal[
        "threshold", "ratio", "absence", "burn_rate", "error_group", "forecast", "anomaly", "sql"
    ]
    when: dict[str, Any]
    severity: Severity
    summary: str = Field(min_length=1)
    effect: str = ""
    runbook: list[str] = Field(default_factory=list)
    runbook_url: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    hold: Duration = Field(timedelta(0), alias="for")
    keep_firing_for: Duration = timedelta(0)
    route: str = ""
    is_fast: bool = False
    of_last: tuple[int, int] = (1, 1)
    inhibits: list[InhibitionSpec] = Field(default_factory=list)
    every: Duration = timedelta(seconds=15)
    min_history: Duration = timedelta(0)
    digest: Duration = timedelta(0)

    @model_validator(mode="after")
    def _possible(self) -> "RuleSpec":
        needed, last = self.of_last
        if not 1 <= needed <= last <= 100:
            raise ValueError("of_last must be [N, M] with 1 <= N <= M <= 100")
        if self.every < timedelta(seconds=1):
            raise ValueError("every must be at least 1s")
        return self
