"""The part of PromQL that alert rules use, as conditions of ours.

Here: selectors with matchers, ranges and offset, rate, irate, increase, *_over_time, absent,
histogram_quantile, sum/avg/min/max/count by, arithmetic and one comparison; comments, and keywords in
any case. Not here: rule files (`importer`), evaluation. Joins (`on`, `ignoring`, `and`, `or`, `unless`),
subqueries and other functions are refused with the reason, never guessed.
"""

import math
import re
from typing import Any

_TOKEN = re.compile(
    r"(?:\s|#[^\n]*)*(?:(?P<number>0[xX][\da-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<name>[A-Za-z_:][\w:]*)"
    r"|(?P<string>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`)|(?P<range>\[[^\]]*\])"
    r"|(?P<op>>=|<=|==|!=|=~|!~|[-+*/><=(){},%^@])|(?P<end>\Z))",
    re.ASCII,
)
# PromQL knows these in any case; names of functions, metrics and labels it does not.
_KEYWORDS = frozenset(
    """sum avg min max count stddev stdvar topk bottomk quantile count_values group by without offset
    bool and or unless on ignoring group_left group_right atan2""".split()
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
_FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">="}


class Untranslatable(Exception):
    """The message is the reason, without text of the file beyond PromQL's own words."""


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


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position = 0
        while True:
            match = _TOKEN.match(text, position)
            if not match:
                raise Untranslatable("the expression cannot be read")
            if match.lastgroup == "end":
                break
            kind, word = str(match.lastgroup), match[str(match.lastgroup)]
            self._tokens.append((kind, word))
            position = match.end()
        self._at = 0

    def takes(self, text: str) -> bool:
        """Go past the next token when it is this one."""
        if self._next()[1] == text or self._keyword() == text:
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
            word = self._keyword() or self._next()[1]
            known = word in {"and", "or", "unless", "on", "ignoring", "group_left", "group_right"}
            raise Untranslatable(
                f"`{word}` between vectors" if known else "more than one comparison"
            )

    def expression(self) -> Any:
        """Sums of products."""
        left = self._term()
        while (op := self._next()[1]) in {"+", "-"}:
            self._at += 1
            self._refuse_join()
            left = _combined(op, left, self._term())
        return left

    def _refuse_join(self) -> None:
        if (word := self._keyword()) in {"on", "ignoring"}:
            raise Untranslatable(f"`{word}` between vectors")

    def _keyword(self) -> str:
        """The next token as a keyword, empty when it is none."""
        kind, text = self._next()
        return text.lower() if kind == "name" and text.lower() in _KEYWORDS else ""

    def _term(self) -> Any:
        left = self._factor()
        while (op := self._next()[1]) in {"*", "/", "%", "^"}:
            self._at += 1
            if op in {"%", "^"}:
                raise Untranslatable(f"operator {op}")
            self._refuse_join()
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
            return _number(text)
        if text == "{":
            self._at -= 1
            return self._selector("")
        if kind != "name":
            raise Untranslatable("the expression cannot be read")
        return self._named(text)

    def _named(self, text: str) -> Any:
        follows = self._next()[1].lower()
        if text.lower() in _AGGREGATES and follows in {"(", "by", "without"}:
            return self._aggregate(text.lower())
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
        if self._keyword() == "without":
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
        q = _number(self._take("number"))
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
        where = self._matchers() if self._next()[1] == "{" else {}
        named = where.pop("__name__", metric)
        if named[:1] in {"", "!", "~"} or (metric and named != metric):
            raise Untranslatable("a selector without the name of one metric")
        select: dict[str, Any] = {"metric": named}
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

    def _matchers(self) -> dict[str, str]:
        """`{a="b",c=~"d"}`; a name between quotes alone is the metric's."""
        where: dict[str, str] = {}
        self.expect("{")
        while not self.takes("}"):
            kind, label = self._next()
            self._at += 1
            label = _unquoted(label) if kind == "string" else label
            if kind == "string" and self._next()[1] in {",", "}"}:
                op, label, value = "=", "__name__", label
            elif kind in {"string", "name"}:
                op, value = self._take("op"), _unquoted(self._take("string"))
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


def _number(text: str) -> float:
    return float(int(text, 16)) if text[:2] in {"0x", "0X"} else float(text)


def _written(number: float) -> str:
    """All its digits: a limit of 1073741824 is not 1.07374e+09."""
    return f"{number:.0f}" if number.is_integer() and abs(number) < 1e15 else repr(number)


def _unquoted(text: str) -> str:
    if text.startswith("`"):
        return text[1:-1]
    return text[1:-1].replace('\\"', '"').replace("\\'", "'").replace("\\\\", "\\")
