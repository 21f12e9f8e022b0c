"""What a rule may select: a metric, a fact, arithmetic on them, SQL; checked as it is read.

Here: pydantic models and the fields that they share, nothing that acts. Not here: conditions on what is
selected (`live_tail/alerts/rules/rule_spec`), reading it (`sources`).
"""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from live_tail.alerts.words.rule_records import of_seconds

FACTS = {
    "requests": {"component", "route", "method", "status_class"},
    "db_operations": {"component", "system", "operation"},
    "ai_calls": {"component", "model", "provider"},
    "failures": {"component", "route", "name", "exception_type", "area", "dependency"},
    "dependency_down": {"dependency"},
    "service_down": {"component"},
    "not_ready": {"component"},
    "silent": {"component"},
    "availability": {"component", "source"},
    "dropped_points": {"reason"},
}
"""Facts a rule can select, with their labels."""
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_COMPARE = re.compile(r"^(>=|<=|==|!=|>|<)\s*(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)$")


def duration(text: Any) -> timedelta:
    """`1h30m` as a timedelta; numbers are seconds. Raises ValueError for anything else."""
    if isinstance(text, timedelta):
        return text
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        return of_seconds(text)
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|[smhdw])", str(text))
    if not parts or "".join(n + u for n, u in parts) != str(text):
        raise ValueError("must be a duration such as 30s, 5m or 1h30m")
    return of_seconds(sum(float(number) * _UNITS[unit] for number, unit in parts))


def _comparison(text: Any) -> tuple[str, float]:
    found = _COMPARE.match(str(text).strip())
    if not found:
        raise ValueError('must be an operator and a number, such as "> 5"')
    return found[1], float(found[2])


Duration = Annotated[timedelta, BeforeValidator(duration)]
Comparison = Annotated[tuple[str, float], BeforeValidator(_comparison)]
Where = dict[str, str | list[str]]


class Strict(BaseModel):
    """A part of a rule in which no field may be misspelt."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class Select(Strict):
    """Series of a metric or a fact, as one value each."""

    metric: str = ""
    fact: str = ""
    where: Where = Field(default_factory=dict)
    over: Duration = timedelta(minutes=5)
    offset: Duration = timedelta(0)
    value: str = "last"
    by: list[str] | None = None
    reduce: Literal["max", "min", "sum", "avg", "count"] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "Select":
        if bool(self.metric) == bool(self.fact):
            raise ValueError("needs either metric or fact")
        if self.fact and self.fact not in FACTS:
            raise ValueError(f"fact must be one of {', '.join(FACTS)}")
        if self.fact:
            unknown = sorted((set(self.where) | set(self.by or ())) - FACTS[self.fact])
            if unknown:
                raise ValueError(
                    f"{self.fact} has no label {', '.join(unknown)}; it has "
                    f"{', '.join(sorted(FACTS[self.fact]))}"
                )
        if self.metric and not VALUE.match(self.value):
            raise ValueError(f"value {self.value!r} is unknown; take one of {VALUES}")
        for name, matcher in self.where.items():
            for text in matcher if isinstance(matcher, list) else [matcher]:
                if text[:1] == "~" or text[:2] == "!~":
                    _checked_pattern(name, text.lstrip("!~"))
        return self


VALUES = "last, avg, min, max, sum, rate, increase, count, mean, p1 to p99.9"
VALUE = re.compile(r"^(last|avg|min|max|sum|rate|increase|count|mean|p\d+(\.\d+)?)$")


class Combine(Strict):
    """Arithmetic of two expressions, matched on equal labels; division by zero has no value."""

    op: Literal["add", "subtract", "multiply", "divide"]
    left: "Expr"
    right: "Expr"


class Aggregate(Strict):
    """An expression folded by labels."""

    aggregate: Literal["max", "min", "sum", "avg", "count"]
    by: list[str] = Field(default_factory=list)
    of: "Expr"


Expr = float | Select | Combine | Aggregate


class Sql(Strict):
    """One SELECT; column `value` is compared, text columns named in `labels` are labels."""

    query: str
    source: Literal["hot", "marts"] = "hot"
    compare: Comparison
    labels: list[str] = Field(default_factory=list)
    max_rows: int = Field(1_000, ge=1, le=10_000)
    max_s: float = Field(2, gt=0, le=30)

    @model_validator(mode="after")
    def _reads_only(self) -> "Sql":
        text = self.query.strip().rstrip(";")
        if not re.match(r"(?is)\s*(select|with|from)\b", text) or ";" in text:
            raise ValueError("query must be one SELECT")
        if re.search(
            r"(?i)\b(insert|update|delete|create|drop|alter|attach|copy|install|load|pragma|set|"
            r"export|import|call|checkpoint|vacuum|read_\w+|glob|getenv)\b",
            text,
        ):
            raise ValueError("query may only read the tables of the window or the marts")
        return self


def _checked_pattern(name: str, pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"the pattern of {name} is wrong: {error}") from None
