"""A live tail for tests of pages: named queries with given rows, or none that answers.

Here: what stands in for `source.client`. Not here: the live API itself (`tests/live_tail`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from live_tail.http.client import LiveAnswer, LiveUnavailable

NO_ALERTS = {
    "alerts": [], "silences": [], "channels": [], "on_call": [], "problem": None, "unjudged": {},
}  # fmt: skip


@dataclass
class LiveAnswers:
    """Answers by name of a query; one that is not named has no rows. `is_down`: nothing answers."""

    rows: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    alerts: Mapping[str, Any] = field(default_factory=lambda: NO_ALERTS)
    is_down: bool = False
    seq: int = 1
    asked: list[str] = field(default_factory=list)

    def __call__(self) -> "LiveAnswers":
        return self

    def query(self, name: str, **parameters: Any) -> LiveAnswer:
        """Rows of a named query."""
        self.asked.append(name)
        self._answers()
        now = datetime.now(UTC).isoformat()
        fresh = [{"live_seq": self.seq, "last_commit_at": now}]
        found = fresh if name == "freshness" else self.rows.get(name, ())
        return LiveAnswer(name, now, 0.0, [dict(row) for row in found])

    def get(self, path: str, **parameters: Any) -> Any:
        """Alerts, and what stands beside them."""
        self._answers()
        return {**NO_ALERTS, **self.alerts}

    def _answers(self) -> None:
        if self.is_down:
            raise LiveUnavailable(
                "the live tail does not answer: run `./tta.sh monitor up`, or see `./tta.sh monitor status`."
            )
