"""Answers of the live window by query, for tests of pages: full, empty, failed, and marts that are old."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from live_tail.http.client import LiveAnswer, LiveUnavailable
from streamlit_app.readings import source
from streamlit_app.readings.source import Reading
from tests.streamlit_app.alert_answers import standing

Rows = list[dict[str, Any]]
NOW = datetime.now(UTC)
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class LiveTail:
    """Answers each query with the rows that it was given, with none otherwise; `is_down` answers nothing."""

    def __init__(self, rows: Mapping[str, Rows]) -> None:
        self.rows, self.is_down = dict(rows), False
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def query(self, name: str, **given: Any) -> LiveAnswer:
        if self.is_down:
            raise LiveUnavailable("the live tail does not answer: run `./tta.sh monitor up`.")
        self.asked.append((name, given))
        rows = [{"live_seq": 1}] if name == "freshness" else self.rows.get(name, [])
        return LiveAnswer(name, NOW.isoformat(), 0.0, [_of_now(row) for row in rows])

    def get(self, path: str, **_: Any) -> Any:
        if self.is_down or path != "/api/v1/alerts":
            raise LiveUnavailable("the live tail does not answer: run `./tta.sh monitor up`.")
        return standing()

    def asks(self, name: str) -> dict[str, Any]:
        """What a query was asked with, the last time."""
        return next(given for asked, given in reversed(self.asked) if asked == name)


def _of_now(row: dict[str, Any]) -> dict[str, Any]:
    """As long ago as it was said when this module was read, however long other tests took since."""
    since = datetime.now(UTC) - NOW
    return {
        name: (datetime.fromisoformat(value) + since).isoformat()
        if name.endswith("_at") and isinstance(value, str)
        else value
        for name, value in row.items()
    }


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat()


def answering(monkeypatch: pytest.MonkeyPatch, rows: Mapping[str, Rows]) -> LiveTail:
    """A live tail with these answers, for all that pages ask."""
    tail = LiveTail(rows)
    monkeypatch.setattr(source, "client", _Kept(tail))
    return tail


class _Kept:
    def __init__(self, tail: LiveTail) -> None:
        self._tail = tail

    def __call__(self) -> LiveTail:
        return self._tail

    def clear(self) -> None:
        """Nothing is kept."""


def published(
    monkeypatch: pytest.MonkeyPatch, frame_of: Callable[[str], pd.DataFrame], age: timedelta
) -> None:
    """Marts of an age that answer each question with a frame, told by its SQL."""

    def marts(sql: str, **_: Any) -> Reading:
        return Reading(frame_of(sql), sql=sql, as_of=datetime.now(UTC) - age)

    monkeypatch.setattr(source, "marts", marts)
