"""The part of PromQL that alert rules use, as conditions of ours.

Here: selectors with matchers, ranges and offset, rate, irate, increase, *_over_time, absent,
histogram_quantile, sum/avg/min/max/count by, arithmetic and one comparison. Not here: rule files
(`importer`), evaluation, PromQL's grammar (`promql-parser`). Joins (`on`, `ignoring`, `and`, `or`,
`unless`), subqueries and other functions are refused with the reason, never guessed.
"""

import json
import math
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import promql_parser as promql

_COMPARE = frozenset(("==", "!=", ">=", "<=", ">", "<"))
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
_PREFIXES = {
    "MatchOp.Equal": "",
    "MatchOp.NotEqual": "!",
    "MatchOp.Re": "~",
    "MatchOp.NotRe": "!~",
}
_TEXT = re.compile(r"#[^\n]*|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`")
_PATTERN_OF = re.compile(r"([\w.:]+)[\"'`]?\s*[=!]~")
# What the parser says of well-formed text that means nothing, in our words: its own may quote the file.
_MEANS_NOTHING = {
    "comparisons between scalars": "a comparison of two numbers",
    "binary expression must contain only": "a range where a value is needed",
    "unknown function": "a function that PromQL does not have",
    "expected type": "an argument of another type than its function takes",
}


class Untranslatable(Exception):
    """The message is the reason, without text of the file beyond PromQL's own words."""


def translate(expression: str) -> tuple[str, dict[str, Any]]:
    """Kind and `when` of a PromQL alert expression; raises Untranslatable."""
    tree = _parsed(expression)
    if isinstance(tree, promql.Call) and tree.func.name in {"absent", "absent_over_time"}:
        return "absence", {"select": _absent(tree.args[0]), "once_seen": False}
    if not isinstance(tree, promql.BinaryExpr) or str(tree.op) not in _COMPARE:
        _value(tree)
        raise Untranslatable("no comparison: the alert would fire for every series that exists")
    symbol, left, right = str(tree.op), _value(tree.lhs), _value(tree.rhs)
    _refuse_join(tree)
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


def _parsed(expression: str) -> Any:
    try:
        return promql.parse(_TEXT.sub(_quoted, expression))
    except ValueError as error:
        told = str(error)
        if told.startswith("illegal regex"):
            labels = set(_PATTERN_OF.findall(expression))
            whose = labels.pop() if len(labels) == 1 else "a matcher"
            raise Untranslatable(f"the pattern of {whose} cannot be read") from None
        known = (reason for part, reason in _MEANS_NOTHING.items() if part in told)
        raise Untranslatable(next(known, "the expression cannot be read")) from None


def _quoted(text: re.Match[str]) -> str:
    """Between backticks nothing is an escape, which the parser does not know (0.12.0)."""
    found = text.group()
    return json.dumps(found[1:-1], ensure_ascii=False) if found.startswith("`") else found


def _absent(tree: Any) -> Any:
    select = _value(tree)
    if not isinstance(select, dict) or "metric" not in select:
        raise Untranslatable("absent() of something that is not a selector")
    return select


def _value(tree: Any) -> Any:
    """A number, or a mapping of what is selected and worked out; raises Untranslatable."""
    worked_out = _VALUES.get(type(tree))
    if worked_out is None:
        is_subquery = isinstance(tree, promql.SubqueryExpr)
        raise Untranslatable("a subquery" if is_subquery else "the expression cannot be read")
    return worked_out(tree)


def _arithmetic(tree: Any) -> Any:
    op = str(tree.op)
    if op in {"and", "or", "unless"}:
        raise Untranslatable(f"`{op}` between vectors")
    if op in _COMPARE:
        raise Untranslatable("a comparison inside an expression")
    if op not in _ARITHMETIC:
        raise Untranslatable(f"operator {op}")
    _refuse_join(tree)
    return _combined(op, _value(tree.lhs), _value(tree.rhs))


def _refuse_join(tree: Any) -> None:
    modifier = tree.modifier
    if modifier is None:
        return
    if modifier.return_bool:
        raise Untranslatable("bool comparison")
    if modifier.matching is not None:
        is_on = modifier.matching.type == promql.LabelModifierType.Include
        raise Untranslatable(f"`{'on' if is_on else 'ignoring'}` between vectors")


def _aggregate(tree: Any) -> dict[str, Any]:
    name = str(tree.op)
    if name not in _AGGREGATES:
        raise Untranslatable(f"function {name}()")
    if tree.modifier is not None and tree.modifier.type != promql.AggModifierType.By:
        raise Untranslatable("without (…): name the labels to keep")
    by = list(tree.modifier.labels) if tree.modifier is not None else []
    return {"aggregate": name, "by": by, "of": _value(tree.expr)}


def _call(tree: Any) -> dict[str, Any]:
    return _quantile(tree) if tree.func.name == "histogram_quantile" else _function(tree)


def _quantile(tree: Any) -> dict[str, Any]:
    q, inner = map(_value, tree.args)
    by = None
    if isinstance(inner, dict) and inner.get("aggregate") == "sum":
        by, inner = [label for label in inner["by"] if label != "le"], inner["of"]
    if not isinstance(q, float) or not isinstance(inner, dict) or inner.get("value") != "rate":
        raise Untranslatable("histogram_quantile of something that is not rate(…_bucket[…])")
    metric = inner["metric"].removesuffix("_bucket")
    select = {**inner, "metric": metric, "value": f"p{q * 100:g}"}
    return {**select, "by": by} if by is not None else select


def _function(tree: Any) -> dict[str, Any]:
    name = tree.func.name
    if name not in _OVER:
        raise Untranslatable(f"function {name}()")
    inner = _value(tree.args[0])
    if "metric" not in inner or "over" not in inner:
        raise Untranslatable(f"{name}() needs a selector with a range")
    return {**inner, "value": _OVER[name]}


def _selector(tree: Any, over: str | None = None) -> dict[str, Any]:
    where = _matchers(tree.matchers)
    metric = tree.name or ""
    named = where.pop("__name__", metric)
    if named[:1] in {"", "!", "~"} or (metric and named != metric):
        raise Untranslatable("a selector without the name of one metric")
    if tree.at is not None:
        raise Untranslatable("the @ modifier")
    select: dict[str, Any] = {"metric": named}
    if where:
        select["where"] = where
    if over:
        select["over"] = over
    if tree.offset is not None:
        if tree.offset < timedelta(0):
            raise Untranslatable("an offset into the future")
        select["offset"] = promql.display_duration(tree.offset)
    return select


def _matchers(given: Any) -> dict[str, str]:
    """Value by label, `!`, `~` or `!~` before it; raises Untranslatable for what ours cannot say."""
    if given.or_matchers:
        raise Untranslatable("`or` between matchers")
    where: dict[str, str] = {}
    for matcher in given.matchers:
        prefix, value = _PREFIXES[str(matcher.op)], matcher.value
        if matcher.name in where:
            raise Untranslatable("two matchers of one label")
        if (not prefix and value[:1] in {"!", "~"}) or (prefix == "!" and value[:1] == "~"):
            raise Untranslatable("a matcher of a value that begins with ! or ~")
        where[matcher.name] = prefix + value
    return where


def _range(tree: Any) -> dict[str, Any]:
    return _selector(tree.vector_selector, promql.display_duration(tree.range))


_VALUES: dict[type, Callable[[Any], Any]] = {
    promql.NumberLiteral: lambda tree: tree.val,
    promql.ParenExpr: lambda tree: _value(tree.expr),
    promql.UnaryExpr: lambda tree: _combined("*", -1.0, _value(tree.expr)),
    promql.VectorSelector: _selector,
    promql.MatrixSelector: _range,
    promql.AggregateExpr: _aggregate,
    promql.Call: _call,
    promql.BinaryExpr: _arithmetic,
}


def _combined(op: str, left: Any, right: Any) -> Any:
    if isinstance(left, float) and isinstance(right, float):
        if op == "/" and right == 0:
            raise Untranslatable("division by zero")
        return {"+": left + right, "-": left - right, "*": left * right}.get(
            op, left / (right or 1)
        )
    return {"op": _ARITHMETIC[op], "left": left, "right": right}


def _written(number: float) -> str:
    """All its digits: a limit of 1073741824 is not 1.07374e+09."""
    return f"{number:.0f}" if number.is_integer() and abs(number) < 1e15 else repr(number)
