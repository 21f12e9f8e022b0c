"""A Prometheus or OpenMetrics exposition as families of samples, and what of it is odd.

Here: which family a line belongs to, and what the formats forbid: an odd line costs itself at most, and
is counted under a reason. What stays clear without a part (an exemplar, `# EOF`) is kept. Not here: the
grammar of one line (`exposition_lines`), what a family is (`families`), OTLP (`exposition_otlp`),
fetching (`scraper`). Source:
exposition formats 0.0.4 and 1.0.0, OpenMetrics 1.0.
"""

import json
import re
from collections import Counter

from ingestion.collectors.prometheus.exposition_lines import (
    BadLine,
    Dialect,
    Labels,
    Sample,
    read_sample,
    unquoted,
)
from ingestion.collectors.prometheus.families import (
    Exposition,
    Family,
    natives_beside_buckets,
    part_of,
)

_DECLARATION = re.compile(
    r'#[ \t]+(TYPE|UNIT|HELP)[ \t]+("(?:[^"\\]|\\.)*+"|[^\s"{]++)(?:[ \t]+(.*))?', re.DOTALL
)
_TYPES = frozenset(
    "counter gauge histogram gaugehistogram stateset info summary unknown untyped".split()
)
_SUFFIXES = {
    "counter": ("_total", "_created"),
    "histogram": ("_bucket", "_count", "_sum", "_created"),
    "gaugehistogram": ("_bucket", "_gcount", "_gsum"),
    "summary": ("_count", "_sum", "_created"),
    "info": ("_info",),
}
# 1973 to 5138 as Unix seconds: what is called `_created` and lies outside is a number of something.
_TIMES = (1e8, 1e11)


class NotAnExposition(Exception):
    """The answer holds no metric; the message says what to scrape instead."""


def read_exposition(body: str, content_type: str) -> Exposition:
    """Read an answer; raises NotAnExposition when no line of it is a sample."""
    text, is_quoted = _json_text(body.removeprefix("\ufeff"))
    dialect = _dialect(text, content_type)
    reader = _Reader(dialect)
    reader.read(text)
    reader.leave_out()
    families = tuple(f for f in reader.families.values() if f.samples)
    is_empty_but_whole = dialect is Dialect.OPENMETRICS and not reader.faults
    if not families and not is_empty_but_whole:
        raise NotAnExposition(
            "the answer holds no Prometheus sample; correct metrics_path of the job"
        )
    return Exposition(families, is_quoted, reader.faults, reader.dropped)


def _json_text(body: str) -> tuple[str, bool]:
    stripped = body.strip()
    if not (stripped.startswith('"') and stripped.endswith('"')):
        return body, False
    try:
        text = json.loads(stripped)
    except ValueError:
        return body, False
    return str(text), True


def _dialect(text: str, content_type: str) -> Dialect:
    """By the content type; an answer that names neither format is OpenMetrics when it ends like it."""
    named = content_type.strip().lower()
    if named.startswith("application/openmetrics-text"):
        return Dialect.OPENMETRICS
    if not named.startswith("text/plain") and text.rstrip().endswith("\n# EOF"):
        return Dialect.OPENMETRICS
    return Dialect.TEXT


class _Reader:
    """The families of one answer, line by line."""

    def __init__(self, dialect: Dialect) -> None:
        self.families: dict[str, Family] = {}
        self.faults: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self._is_strict = dialect is Dialect.OPENMETRICS
        self._dialect = dialect
        self._declared: set[tuple[str, str]] = set()
        self._seen: set[tuple[str, Labels, float, int | None]] = set()
        self._last = ""

    def read(self, text: str) -> None:
        """Take all lines in. Declarations come first wherever they stand: they tell what is meant."""
        # Nothing but a line feed ends a line: a label's value may hold any other separator.
        lines = text.split("\n")
        rest = lines.pop()
        if rest:
            lines.append(rest)
        if self._is_strict:
            lines = self._ended(lines, is_cut=bool(rest))
        if any(line.endswith("\r") for line in lines):
            lines = [line.removesuffix("\r") for line in lines]
            self.faults["lines that end in CR LF"] += 1
        for line in lines:
            if line.startswith("#"):
                self._declare(line)
        for line in lines:
            if not line.startswith("#"):
                self._take(line)

    def _ended(self, lines: list[str], *, is_cut: bool) -> list[str]:
        ends = [place for place, line in enumerate(lines) if line.rstrip("\r") == "# EOF"]
        if not ends:
            self.faults["no # EOF at the end"] += 1
            # The last line of an answer that broke off may be half a number.
            if is_cut and lines[-1].strip(" \t\r") and not lines[-1].startswith("#"):
                self.dropped["a line that breaks off"] += 1
            return lines[:-1] if is_cut else lines
        if ends != [len(lines) - 1]:
            self.faults["lines after # EOF"] += 1
        return [line for place, line in enumerate(lines) if place not in set(ends)]

    def _declare(self, line: str) -> None:
        found = _DECLARATION.fullmatch(line)
        if not found:
            if self._is_strict:
                self.faults["a comment"] += 1
            return
        what, name, value = found[1], found[2], (found[3] or "").strip()
        name = unquoted(name[1:-1]) if name.startswith('"') else name
        if what == "HELP" or (what == "UNIT" and not self._is_strict):
            return
        fault = self._fault_of(what, name, value)
        if fault:
            self.faults[fault] += 1
            return
        self._declared.add((what, name))
        family = self.families.setdefault(name, Family(name))
        if what == "TYPE":
            family.type = "unknown" if value == "untyped" else value
        else:
            family.unit = value

    def _fault_of(self, what: str, name: str, value: str) -> str:
        if (what, name) in self._declared:
            return f"a second {what} line of a metric"
        if what == "TYPE":
            return "" if value in _TYPES else "a TYPE that is none"
        return "" if not value or name.endswith(f"_{value}") else "a UNIT that is not in the name"

    def _take(self, line: str) -> None:
        if not line.strip(" \t"):
            if self._is_strict:
                self.faults["an empty line"] += 1
            return
        try:
            sample = read_sample(line, self._dialect)
            family, suffix = self._family(sample)
            if suffix == "_created":
                if sample.labels in family.created:
                    raise BadLine("a series twice")
                family.created[sample.labels] = round(sample.value * 1e9)
                return
            fault = self._checked(family, suffix, sample) or sample.fault
        except BadLine as reason:
            self._drop(str(reason))
            return
        family.samples.append(sample)
        if fault:
            self.faults[fault] += 1
        if self._is_strict and family.name != self._last and len(family.samples) > 1:
            self.faults["families that are interleaved"] += 1
        self._last = family.name

    def leave_out(self) -> None:
        """Drop what OTLP has no place for: a second form of one histogram, a start without its series."""
        for family in self.families.values():
            if not family.samples and family.created:
                self._drop("a start of no series", len(family.created))
            if any(sample.native is not None for sample in family.samples):
                doubled = natives_beside_buckets(family)
                family.samples = [s for s in family.samples if id(s) not in doubled]
                self._drop("a native histogram beside its buckets", len(doubled))

    def _drop(self, reason: str, items: int = 1) -> None:
        if items:
            self.faults[reason] += items
            self.dropped[reason] += items

    def _family(self, sample: Sample) -> tuple[Family, str]:
        """The family of a sample and the suffix by which it belongs to it."""
        name = sample.name
        own = self.families.get(name)
        if name.endswith("_created") and (own is None or own.type == "gauge"):
            # The text format shows the start of `x_total` as a gauge of its own.
            stem = name.removesuffix("_created")
            of = self._with_suffix(stem, "_created") or self._with_suffix(
                f"{stem}_total", "_created"
            )
            if of is not None and _TIMES[0] < sample.value < _TIMES[1]:
                return of, "_created"
        if own is not None:
            return own, ""
        for suffix in ("_total", "_bucket", "_count", "_sum", "_gcount", "_gsum", "_info"):
            if name.endswith(suffix):
                family = self._with_suffix(name.removesuffix(suffix), suffix)
                if family is not None:
                    return family, suffix
        return self.families.setdefault(name, Family(name)), ""

    def _with_suffix(self, name: str, suffix: str) -> Family | None:
        family = self.families.get(name)
        return family if family and suffix in _SUFFIXES.get(family.type, ()) else None

    def _checked(self, family: Family, suffix: str, sample: Sample) -> str:
        """What is odd about a sample that can be kept; raises BadLine for one that cannot."""
        part = part_of(family, suffix, sample)
        key = (sample.name, family.series(sample), part, sample.at_ns)
        if key in self._seen:
            raise BadLine("a series twice")
        self._seen.add(key)
        if self._is_strict and not suffix and family.type in {"counter", "info"}:
            return f"a sample of type {family.type} without its suffix"
        if self._is_strict and sample.exemplar and suffix not in {"_total", "_bucket"}:
            return "an exemplar where none may be"
        return ""
