"""Prometheus rule files into ours: what translates, and for the rest the reason.

Here: reading `groups: … rules:` and the part of PromQL that alert rules use: selectors with matchers,
ranges and offset, rate, irate, increase, *_over_time, histogram_quantile, sum/avg/min/max/count by,
arithmetic and one comparison. Not here: evaluation. Recording rules and joins (`on`, `ignoring`,
`and`, `or`, `unless`, subqueries, other functions) are listed with the reason, never guessed.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|(?P<name>[A-Za-z_:][\w:]*)"
    r"|(?P<string>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')|(?P<range>\[[^\]]*\])"
    r"|(?P<op>>=|<=|==|!=|=~|!~|[-+*/><=(){},%^@]))"
)
_COMPARE = ("==", "!=", ">=", "<=", ">", "<")
_ARITHMETIC = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}
_AGGREGATES = {"sum", "avg", "min", "max", "count"}
_OVER = {
    "rate": "rate",
    "irate": "rate",
    "increase": "increase",
    "avg_over_time": "avg",
    "min_over_time": "min",
    "max_over_time": "max",
    "sum_over_time": "sum",
    "count_over_time": "count",
    "last_over_time": "last",
}
_SEVERITIES = {
    "critical": "critical", "page": "critical", "error": "critical", "high": "critical",
    "warning": "warning", "warn": "warning", "medium": "warning",
    "info": "info", "low": "info", "none": "info",
}  # fmt: skip
_FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">="}


class Untranslatable(Exception):
    """The message is the reason, without text of the file beyond PromQL's own words."""


@dataclass(frozen=True)
class Imported:
    """What came of a file: our rules as YAML values, and (name, reason) of the others."""

    rules: list[dict[str, Any]]
    refused: list[tuple[str, str]]

    def as_yaml(self) -> str:
        """The rules as a rule file."""
        return yaml.safe_dump({"rules": self.rules}, sort_keys=False, allow_unicode=True, width=100)


def import_file(path: Path) -> Imported:
    """Translate a Prometheus rule file; raises Untranslatable when it is none."""
    try:
        content = yaml.safe_load(path.read_text())
        groups = content["groups"]
        entries = [(entry, group.get("interval")) for group in groups for entry in group["rules"]]
    except (OSError, yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise Untranslatable(
            f"{path.name} is no Prometheus rule file ({type(error).__name__}): it needs groups with rules"
        ) from None
    rules: list[dict[str, Any]] = []
    refused: list[tuple[str, str]] = []
    for entry, interval in entries:
        name = str(entry.get("alert") or entry.get("record") or "unnamed")
        try:
            rules.append(_rule(name, entry, interval))
        except Untranslatable as reason:
            refused.append((name, str(reason)))
    return Imported(rules, refused)


def _rule(name: str, entry: dict[str, Any], interval: str | None) -> dict[str, Any]:
    if "alert" not in entry:
        raise Untranslatable("a recording rule; select the metric itself")
    kind, when = translate(str(entry.get("expr", "")))
    labels = {str(k): str(v) for k, v in (entry.get("labels") or {}).items()}
    notes = entry.get("annotations") or {}
    severity = labels.pop("severity", "warning").lower()
    rule: dict[str, Any] = {
        "name": re.sub(r"\W", "_", name),
        "kind": kind,
        "when": when,
        "severity": _SEVERITIES.get(severity, "warning"),
        "summary": _template(str(notes.get("summary") or name)),
    }
    if notes.get("description"):
        rule["effect"] = _template(str(notes["description"]))
    if notes.get("runbook_url"):
        rule["runbook_url"] = str(notes["runbook_url"])
    optional = {
        "for": entry.get("for"),
        "keep_firing_for": entry.get("keep_firing_for"),
        "every": interval,
    }
    rule |= {key: str(value) for key, value in optional.items() if value}
    if labels:
        rule["labels"] = {k: _template(v) for k, v in labels.items()}
    return rule


def translate(expression: str) -> tuple[str, dict[str, Any]]:
    """Kind and `when` of a PromQL alert expression; raises Untranslatable."""
    parser = _Parser(expression)
    if parser.takes("absent"):
        parser.expect("(")
        select = parser.expression()
        parser.expect(")")
        parser.end()
        if not isinstance(select, dict) or "metric" not in select:
            raise Untranslatable("absent() of something that is not a selector")
        return "absence", {"select": select, "once_seen": False}
    left = parser.expression()
    symbol = next((s for s in _COMPARE if parser.takes(s)), None)
    if symbol is None:
        parser.end()
        raise Untranslatable("no comparison: the alert would fire for every series that exists")
    if parser.takes("bool"):
        raise Untranslatable("bool comparison")
    right = parser.expression()
    parser.end()
    if isinstance(left, float) and isinstance(right, dict):
        left, right, symbol = right, left, _FLIPPED.get(symbol, symbol)
    if isinstance(right, float):
        return "threshold", {"value": left, "compare": f"{symbol} {right:g}"}
    if symbol in {"==", "!="}:
        raise Untranslatable("equality of two vectors")
    return "threshold", {"value": left, "operator": symbol, "than": right}


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if not match:
                raise Untranslatable("the expression cannot be read")
            self._tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            position = match.end()
        self._at = 0

    def takes(self, text: str) -> bool:
        """Go past the next token when it is this one."""
        if self._next()[1] == text:
            self._at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        """Go past this token; raises Untranslatable when it is another."""
        if not self.takes(text):
            raise Untranslatable(f"{text} is missing")

    def end(self) -> None:
        """Raise Untranslatable when anything is left."""
        if self._at < len(self._tokens):
            word = self._next()[1]
            known = word in {"and", "or", "unless", "on", "ignoring", "group_left", "group_right"}
            raise Untranslatable(
                f"`{word}` between vectors" if known else "more than one comparison"
            )

    def expression(self) -> Any:
        """Sums of products."""
        left = self._term()
        while (op := self._next()[1]) in {"+", "-"}:
            self._at += 1
            left = _combined(op, left, self._term())
        return left

    def _term(self) -> Any:
        left = self._factor()
        while (op := self._next()[1]) in {"*", "/", "%", "^"}:
            self._at += 1
            if op in {"%", "^"}:
                raise Untranslatable(f"operator {op}")
            if self._next()[1] in {"on", "ignoring"}:
                raise Untranslatable(f"`{self._next()[1]}` between vectors")
            left = _combined(op, left, self._factor())
        return left

    def _factor(self) -> Any:
        kind, text = self._next()
        if self.takes("-"):
            return _combined("*", -1.0, self._factor())
        if self.takes("("):
            inner = self.expression()
            if self._next()[1] in _COMPARE:
                raise Untranslatable("a comparison inside an expression")
            self.expect(")")
            return inner
        self._at += 1
        if kind == "number":
            return float(text)
        if kind != "name":
            raise Untranslatable("the expression cannot be read")
        return self._named(text)

    def _named(self, text: str) -> Any:
        if text in _AGGREGATES:
            return self._aggregate(text)
        if text == "histogram_quantile":
            return self._quantile()
        if self._next()[1] == "(":
            return self._function(text)
        return self._selector(text)

    def _aggregate(self, name: str) -> Any:
        by = self._grouping()
        self.expect("(")
        inner = self.expression()
        self.expect(")")
        by = self._grouping() if by is None else by
        return {"aggregate": name, "by": by or [], "of": inner}

    def _grouping(self) -> list[str] | None:
        if self._next()[1] == "without":
            raise Untranslatable("without (…): name the labels to keep")
        if not self.takes("by"):
            return None
        self.expect("(")
        names = []
        while not self.takes(")"):
            names.append(self._take("name"))
            self.takes(",")
        return names

    def _quantile(self) -> Any:
        self.expect("(")
        q = float(self._take("number"))
        self.expect(",")
        inner, by = self.expression(), None
        self.expect(")")
        if isinstance(inner, dict) and inner.get("aggregate") == "sum":
            by, inner = [label for label in inner["by"] if label != "le"], inner["of"]
        if not isinstance(inner, dict) or inner.get("value") != "rate":
            raise Untranslatable("histogram_quantile of something that is not rate(…_bucket[…])")
        select = {
            **inner,
            "metric": inner["metric"].removesuffix("_bucket"),
            "value": f"p{q * 100:g}",
        }
        return {**select, "by": by} if by is not None else select

    def _function(self, name: str) -> Any:
        if name not in _OVER:
            raise Untranslatable(f"function {name}()")
        self.expect("(")
        inner = self.expression()
        self.expect(")")
        if not isinstance(inner, dict) or "metric" not in inner or "over" not in inner:
            raise Untranslatable(f"{name}() needs a selector with a range")
        return {**inner, "value": _OVER[name]}

    def _selector(self, metric: str) -> Any:
        select: dict[str, Any] = {"metric": metric}
        where: dict[str, str] = {}
        if self.takes("{"):
            while not self.takes("}"):
                label, op = self._take("name"), self._take("op")
                prefix = {"=": "", "!=": "!", "=~": "~", "!~": "!~"}.get(op)
                if prefix is None:
                    raise Untranslatable("the matcher cannot be read")
                where[label] = prefix + self._take("string")[1:-1].replace('\\"', '"').replace(
                    "\\\\", "\\"
                )
                self.takes(",")
        if where:
            select["where"] = where
        if self._next()[0] == "range":
            span = self._take("range")[1:-1].strip()
            if ":" in span:
                raise Untranslatable("a subquery")
            select["over"] = span
        if self.takes("offset"):
            # `1h` is read as a number and a name.
            select["offset"] = self._duration()
        if self.takes("@"):
            raise Untranslatable("the @ modifier")
        return select

    def _duration(self) -> str:
        text = ""
        while self._next()[0] in {"number", "name"} and re.fullmatch(r"[\da-z.]+", self._next()[1]):
            text += self._next()[1]
            self._at += 1
        return text

    def _take(self, kind: str) -> str:
        found, text = self._next()
        if found != kind:
            raise Untranslatable("the expression cannot be read")
        self._at += 1
        return text

    def _next(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")


def _combined(op: str, left: Any, right: Any) -> Any:
    if isinstance(left, float) and isinstance(right, float):
        if op == "/" and right == 0:
            raise Untranslatable("division by zero")
        return {"+": left + right, "-": left - right, "*": left * right}.get(
            op, left / (right or 1)
        )
    return {"op": _ARITHMETIC[op], "left": left, "right": right}


def _template(text: str) -> str:
    return re.sub(r"\{\{\s*\$(labels\.\w+|value)[^}]*\}\}", r"{{ \1 }}", text).replace(
        "labels.", ""
    )
