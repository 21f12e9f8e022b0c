"""The one model of a report that every format is rendered from.

Here: the document, its charts as data, its edition, and its form as a record. Not here: the values
(`figures`), how it looks (`rendering`). The edition is a digest of all that is said; when it was said is no
part of it: the same data make the same edition.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Literal

from dagster_project.reporting.document.figures import Column, Figure, Table
from dagster_project.reporting.document.report_periods import Cadence, ReportPeriod

State = Literal["ok", "warning", "critical", "unknown"]
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


@dataclass(frozen=True)
class Chart:
    """Values over time by series, as data: (start of the bucket in UTC, series, value or None).

    `form` is lines, or bars that stack. `threshold` is (value, name). `step_s` is a bucket's width.
    """

    title: str
    form: Literal["lines", "bars"]
    unit: str
    step_s: int
    points: tuple[tuple[datetime, str, int | float | None], ...]
    digits: int = 0
    threshold: tuple[float, str] | None = None
    empty: str = "Nothing was measured in this period."

    @property
    def series(self) -> tuple[str, ...]:
        """The names of its series."""
        return tuple(sorted({name for _, name, _ in self.points}))


@dataclass(frozen=True)
class Document:
    """A report. `as_of` is how far its data reach, `generated_at` when it was made, both UTC.

    `is_over` says whether the period was over then. `audience` is whose published copy it was made of.
    """

    kind: str
    title: str
    audience: str
    period: ReportPeriod
    is_over: bool
    state: State
    verdict: str
    figures: tuple[Figure, ...]
    charts: tuple[Chart, ...]
    tables: tuple[Table, ...]
    method: tuple[str, ...]
    as_of: datetime
    generated_at: datetime

    @property
    def edition(self) -> str:
        """Sixteen letters of SHA-256 over everything that is said: letters, because a number of many
        digits looks like somebody's.
        """
        said = {**self._said(), "as_of": None if self.is_over else self.as_of.isoformat()}
        text = json.dumps(said, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16].translate(_LETTERS)

    @property
    def name(self) -> str:
        """What its files are called, without their ending."""
        return f"{self.kind}-{self.edition}"

    def record(self) -> dict[str, Any]:
        """All of it as JSON knows it."""
        moments = {n: getattr(self, n).isoformat() for n in ("as_of", "generated_at")}
        return {**self._said(), **moments, "edition": self.edition}

    def _said(self) -> dict[str, Any]:
        period = self.period
        return {
            "kind": self.kind,
            "title": self.title,
            "audience": self.audience,
            "period": {
                "label": period.label, "words": period.words, "cadence": period.cadence.value,
                "first": period.first.isoformat(), "zone": period.zone, "is_over": self.is_over,
                "from": period.start_at.isoformat(), "to": period.end_at.isoformat(),
            },
            "state": self.state,
            "verdict": self.verdict,
            "figures": [_figure(one) for one in self.figures],
            "charts": [_chart(one) for one in self.charts],
            "tables": [asdict(one) for one in self.tables],
            "method": list(self.method),
        }  # fmt: skip


def restored(record: dict[str, Any]) -> Document:
    """The document of a record; raises KeyError, TypeError or ValueError for what is none."""
    period = record["period"]
    fields = ("kind", "title", "audience", "state", "verdict")
    return Document(
        **{name: record[name] for name in fields},
        period=ReportPeriod(
            Cadence(period["cadence"]), date.fromisoformat(period["first"]), period["zone"]
        ),
        is_over=period["is_over"],
        figures=tuple(_figure_of(one) for one in record["figures"]),
        charts=tuple(_chart_of(one) for one in record["charts"]),
        tables=tuple(_table_of(one) for one in record["tables"]),
        method=tuple(record["method"]),
        as_of=datetime.fromisoformat(record["as_of"]),
        generated_at=datetime.fromisoformat(record["generated_at"]),
    )


def generated(document: Document, at: datetime) -> Document:
    """The same document, made at another moment (aware)."""
    return replace(document, generated_at=at.astimezone(UTC))


def _figure(one: Figure) -> dict[str, Any]:
    return {
        **asdict(one),
        "change": one.change,
        "change_unit": ("pt" if one.is_points else "%") if one.change is not None else None,
    }


def _figure_of(record: dict[str, Any]) -> Figure:
    return Figure(**{k: v for k, v in record.items() if k not in {"change", "change_unit"}})


def _chart(one: Chart) -> dict[str, Any]:
    return {
        **asdict(one),
        "points": [[at.isoformat(), name, value] for at, name, value in one.points],
    }


def _chart_of(record: dict[str, Any]) -> Chart:
    points = tuple((datetime.fromisoformat(at), name, v) for at, name, v in record["points"])
    threshold = record["threshold"]
    return Chart(
        **{**record, "points": points, "threshold": tuple(threshold) if threshold else None}
    )


def _table_of(record: dict[str, Any]) -> Table:
    columns = tuple(Column(**one) for one in record["columns"])
    rows = tuple(tuple(row) for row in record["rows"])
    return Table(**{**record, "columns": columns, "rows": rows})
