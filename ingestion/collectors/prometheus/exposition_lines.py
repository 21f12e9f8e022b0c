"""One line of an exposition: a sample with what belongs to it, or the reason why it is none.

Here: the grammar of samples, labels, values, times and exemplars in both formats, quoted UTF-8 names
and native histograms included. Not here: families, types and what a line means (`exposition`).
Sources: exposition format 0.0.4 and 1.0.0, OpenMetrics 1.0.
"""

import math
import re
from dataclasses import dataclass
from enum import Enum

from ingestion.collectors.prometheus.native_histograms import (
    NativeHistogram,
    UnreadableHistogram,
    read_native,
)

Labels = tuple[tuple[str, str], ...]
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*+")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"')
_NUMBER = re.compile(
    r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|0x[\da-f]+\.?[\da-f]*(?:p[+-]?\d+)?|inf(?:inity)?|nan)",
    re.IGNORECASE | re.ASCII,
)
_TEXT_TIME = re.compile(r"-?\d{1,19}", re.ASCII)
_BLANKS = re.compile(r"[ \t]+")
_NOT_UTF8 = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "\\": "\\", '"': '"'}
_EXEMPLAR_CHARACTERS = 128
_MAX_NS = 2**63 - 1


class Dialect(Enum):
    """The two formats: they differ in what a time means and in what may follow it."""

    TEXT = "text"
    OPENMETRICS = "OpenMetrics"


class BadLine(Exception):
    """The line is no sample; the message is a reason of ours, without text of the line."""


@dataclass(frozen=True)
class Exemplar:
    """One observation that stands for others."""

    labels: Labels
    value: float
    at_ns: int | None


@dataclass(frozen=True)
class Sample:
    """A line that was read; `fault` says what of it was left out."""

    name: str
    labels: Labels
    value: float
    at_ns: int | None
    exemplar: Exemplar | None = None
    native: NativeHistogram | None = None
    fault: str = ""

    def label(self, name: str) -> str | None:
        """The value of a label, None when there is none."""
        return next((value for key, value in self.labels if key == name), None)


def read_sample(line: str, dialect: Dialect) -> Sample:
    """The sample of a line; raises BadLine."""
    if _NOT_UTF8.search(line):
        raise BadLine("not UTF-8")
    line = line.strip(" \t")
    name, labels, rest = _series(line)
    if rest.startswith("{"):
        return _native_sample(name, labels, rest, dialect)
    measured, has_more, more = rest.partition("#")
    value, at_ns = _measured(measured, dialect)
    if not has_more:
        return Sample(name, labels, value, at_ns)
    if dialect is Dialect.TEXT:
        return Sample(name, labels, value, at_ns, fault="an exemplar in the text format")
    try:
        return Sample(name, labels, value, at_ns, exemplar=_exemplar(more))
    except BadLine as reason:
        return Sample(name, labels, value, at_ns, fault=str(reason))


def unquoted(text: str) -> str:
    """What stands between quotes, without its escapes; an unknown escape stays as it is written."""
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[0]), text)


def number(text: str) -> float:
    """A value as Go reads it, hexadecimal ones included; raises BadLine."""
    if len(text) > 400 or not _NUMBER.fullmatch(text):
        raise BadLine("the value is no number")
    try:
        value = float.fromhex(text) if "x" in text.lower() else float(text)
    except OverflowError:
        value = math.inf
    if math.isinf(value) and "inf" not in text.lower():
        raise BadLine("the value is too large")
    return value


def _series(line: str) -> tuple[str, Labels, str]:
    """Name, labels and what follows."""
    found = _NAME.match(line)
    name, at = (found[0], found.end()) if found else ("", 0)
    rest = line[at:].lstrip(" \t")
    is_apart = rest != line[at:] or not rest
    if name and (_is_native(rest) or (is_apart and not rest.startswith("{"))):
        return name, (), rest
    if not rest.startswith("{"):
        raise BadLine("no metric name")
    quoted_name, labels, rest = _labels(rest)
    if bool(name) == bool(quoted_name):
        raise BadLine("no metric name")
    return name or quoted_name, labels, rest.lstrip(" \t")


def _labels(text: str) -> tuple[str, Labels, str]:
    """`{a="b"}rest` → the quoted name in it, the labels in order and the rest."""
    name, found, at = "", dict[str, str](), 1
    while True:
        at = _past_blanks(text, at)
        if text[at : at + 1] == "}":
            break
        key, is_quoted, at = _key(text, at)
        at = _past_blanks(text, at)
        if text[at : at + 1] == "=":
            value = _QUOTED.match(text, _past_blanks(text, at + 1))
            if not value or key in found:
                raise BadLine("a label twice" if value else "the labels cannot be read")
            found[key], at = unquoted(value[1]), _past_blanks(text, value.end())
        elif is_quoted and not name and not found:
            name = key
        else:
            raise BadLine("the labels cannot be read")
        if text[at : at + 1] == ",":
            at += 1
        elif text[at : at + 1] != "}":
            raise BadLine("the labels cannot be read")
    # A label without a value is no label: `a{b=""}` is the series `a`.
    return name, tuple(sorted((k, v) for k, v in found.items() if v)), text[at + 1 :]


def _key(text: str, at: int) -> tuple[str, bool, int]:
    if quoted := _QUOTED.match(text, at):
        if not quoted[1]:
            raise BadLine("the labels cannot be read")
        return unquoted(quoted[1]), True, quoted.end()
    if plain := _LABEL_NAME.match(text, at):
        return plain[0], False, plain.end()
    raise BadLine("the labels cannot be read")


def _past_blanks(text: str, at: int) -> int:
    while text[at : at + 1] in {" ", "\t"}:
        at += 1
    return at


def _measured(text: str, dialect: Dialect) -> tuple[float, int | None]:
    words = _words(text)
    if len(words) not in {1, 2}:
        raise BadLine("more than a value and a time" if words else "no value")
    at_ns = _time_ns(words[1], dialect) if len(words) == 2 else None
    return number(words[0]), at_ns


def _words(text: str) -> list[str]:
    """Parted at blanks and tabs, and at nothing else that Python takes for white space."""
    return [word for word in _BLANKS.split(text) if word]


def _time_ns(text: str, dialect: Dialect) -> int:
    """Milliseconds in the text format, seconds in OpenMetrics."""
    if dialect is Dialect.TEXT:
        if not _TEXT_TIME.fullmatch(text):
            raise BadLine("the time is no whole number of milliseconds")
        at_ns = int(text) * 1_000_000
    else:
        seconds = number(text)
        if not math.isfinite(seconds):
            raise BadLine("the time is no number of seconds")
        at_ns = _nanoseconds(text, seconds)
    if not 0 <= at_ns <= _MAX_NS:
        raise BadLine("the time is out of range")
    return at_ns


def _nanoseconds(text: str, seconds: float) -> int:
    """Exactly what is written, where it is plain decimals: floats of today are 200 ns apart."""
    whole, _, part = text.partition(".")
    if whole.isdigit() and (part.isdigit() or not part) and len(whole) < 12:
        return int(whole) * 10**9 + int(part[:9].ljust(9, "0"))
    return round(seconds * 1e9) if abs(seconds) < 1e12 else -1


def _exemplar(text: str) -> Exemplar:
    text = text.lstrip(" ")
    if not text.startswith("{"):
        raise BadLine("the exemplar cannot be read")
    try:
        name, labels, rest = _labels(text)
        value, at_ns = _measured(rest, Dialect.OPENMETRICS)
    except BadLine:
        raise BadLine("the exemplar cannot be read") from None
    if name or sum(len(key) + len(value) for key, value in labels) > _EXEMPLAR_CHARACTERS:
        raise BadLine("the exemplar is too long" if not name else "the exemplar cannot be read")
    return Exemplar(labels, value, at_ns)


def _is_native(text: str) -> bool:
    return bool(re.match(r"\{\s*[a-z_]+\s*:", text))


def _native_sample(name: str, labels: Labels, text: str, dialect: Dialect) -> Sample:
    inner, closed, rest = text[1:].partition("}")
    if dialect is Dialect.TEXT or not closed:
        raise BadLine("a value in braces")
    measured, has_more, _ = rest.partition("#")
    words = _words(measured)
    if len(words) > 1:
        raise BadLine("more than a value and a time")
    try:
        native = read_native(inner)
    except UnreadableHistogram as error:
        raise BadLine(str(error)) from None
    at_ns = _time_ns(words[0], dialect) if words else None
    fault = "exemplars of a native histogram" if has_more else ""
    return Sample(name, labels, float(native.count), at_ns, native=native, fault=fault)
