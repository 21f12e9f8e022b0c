"""The part of PromQL that alert rules use, as conditions of ours.

Here: selectors with matchers, ranges and offset, rate, irate, increase, *_over_time, absent,
histogram_quantile, sum/avg/min/max/count by, arithmetic and one comparison; comments, and keywords in
any case. Not here: its words (`tokens`), rule files (`importer`), evaluation. Joins (`on`,
`ignoring`, `and`, `or`, `unless`), subqueries and other functions are refused with the reason, never guessed.
"""

import math
import re
from typing import Any

from live_tail.alerts.importing.tokens import Tokens, Untranslatable

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
_FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">="}


def translate(expression: str) -> tuple[str, dict[str, Any]]:
    """Kind and `when` of a PromQL alert expression; raises Untranslatable."""
    parser = _Parser(expression)
    if parser.takes("absent") or parser.takes("absent_over_time"):
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
    if isinstance(left, float) and isinstance(right, float):
        raise Untranslatable("a comparison of two numbers")
    if isinstance(right, float):
        if not math.isfinite(right):
            raise Untranslatable("a comparison with no number")
        return "threshold", {"value": left, "compare": f"{symbol} {_written(right)}"}
    if symbol in {"==", "!="}:
        raise Untranslatable("equality of two vectors")
    return "threshold", {"value": left, "operator": symbol, "than": right}


class _Parser(Tokens):
    """Recursive descent over the tokens of one expression."""

    def expression(self) -> Any:
        """Sums of products."""
        left = self._term()
        while (op := self.next()[1]) in {"+", "-"}:
            self._at += 1
            self._refuse_join()
            left = _combined(op, left, self._term())
        return left

    def _refuse_join(self) -> None:
        if (word := self.keyword()) in {"on", "ignoring"}:
            raise Untranslatable(f"`{word}` between vectors")

    def _term(self) -> Any:
        left = self._factor()
        while (op := self.next()[1]) in {"*", "/", "%", "^"}:
            self._at += 1
            if op in {"%", "^"}:
                raise Untranslatable(f"operator {op}")
            self._refuse_join()
            left = _combined(op, left, self._factor())
        return left

    def _factor(self) -> Any:
        kind, text = self.next()
        if self.takes("-"):
            return _combined("*", -1.0, self._factor())
        if self.takes("("):
            inner = self.expression()
            if self.next()[1] in _COMPARE:
                raise Untranslatable("a comparison inside an expression")
            self.expect(")")
            return inner
        self._at += 1
        if kind == "number":
            return _number(text)
        if text == "{":
            self._at -= 1
            return self._selector("")
        if kind != "name":
            raise Untranslatable("the expression cannot be read")
        return self._named(text)

    def _named(self, text: str) -> Any:
        follows = self.next()[1].lower()
        if text.lower() in _AGGREGATES and follows in {"(", "by", "without"}:
            return self._aggregate(text.lower())
        if text == "histogram_quantile":
            return self._quantile()
        if self.next()[1] == "(":
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
        if self.keyword() == "without":
            raise Untranslatable("without (…): name the labels to keep")
        if not self.takes("by"):
            return None
        self.expect("(")
        names = []
        while not self.takes(")"):
            names.append(self.take("name"))
            self.takes(",")
        return names

    def _quantile(self) -> Any:
        self.expect("(")
        q = _number(self.take("number"))
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
        where = self._matchers() if self.next()[1] == "{" else {}
        named = where.pop("__name__", metric)
        if named[:1] in {"", "!", "~"} or (metric and named != metric):
            raise Untranslatable("a selector without the name of one metric")
        select: dict[str, Any] = {"metric": named}
        if where:
            select["where"] = where
        if self.next()[0] == "range":
            span = self.take("range")[1:-1].strip()
            if ":" in span:
                raise Untranslatable("a subquery")
            select["over"] = span
        if self.takes("offset"):
            # `1h` is read as a number and a name.
            select["offset"] = self._duration()
        if self.takes("@"):
            raise Untranslatable("the @ modifier")
        return select

    def _matchers(self) -> dict[str, str]:
        """`{a="b",c=~"d"}`; a name between quotes alone is the metric's."""
        where: dict[str, str] = {}
        self.expect("{")
        while not self.takes("}"):
            kind, label = self.next()
            self._at += 1
            label = _unquoted(label) if kind == "string" else label
            if kind == "string" and self.next()[1] in {",", "}"}:
                op, label, value = "=", "__name__", label
            elif kind in {"string", "name"}:
                op, value = self.take("op"), _unquoted(self.take("string"))
            else:
                raise Untranslatable("the matcher cannot be read")
            prefix = {"=": "", "!=": "!", "=~": "~", "!~": "!~"}.get(op)
            if prefix is None:
                raise Untranslatable("the matcher cannot be read")
            if label in where:
                raise Untranslatable("two matchers of one label")
            if (not prefix and value[:1] in {"!", "~"}) or (prefix == "!" and value[:1] == "~"):
                raise Untranslatable("a matcher of a value that begins with ! or ~")
            where[label] = prefix + value
            self.takes(",")
        return where

    def _duration(self) -> str:
        text = ""
        while self.next()[0] in {"number", "name"} and re.fullmatch(r"[\da-z.]+", self.next()[1]):
            text += self.next()[1]
            self._at += 1
        return text


def _combined(op: str, left: Any, right: Any) -> Any:
    if isinstance(left, float) and isinstance(right, float):
        if op == "/" and right == 0:
            raise Untranslatable("division by zero")
        return {"+": left + right, "-": left - right, "*": left * right}.get(
            op, left / (right or 1)
        )
    return {"op": _ARITHMETIC[op], "left": left, "right": right}


def _number(text: str) -> float:
    return float(int(text, 16)) if text[:2] in {"0x", "0X"} else float(text)


def _written(number: float) -> str:
    """All its digits: a limit of 1073741824 is not 1.07374e+09."""
    return f"{number:.0f}" if number.is_integer() and abs(number) < 1e15 else repr(number)


def _unquoted(text: str) -> str:
    if text.startswith("`"):
        return text[1:-1]
    return text[1:-1].replace('\\"', '"').replace("\\'", "'").replace("\\\\", "\\")
