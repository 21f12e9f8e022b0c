"""The channels of a home as the notifier knows them.

Here: the channels of the policy in force, asked of a process that ends: reading a policy takes 10 MB. Not
here: the policy (`policy`), what is answered (`told_ways`), the asking (`ingestion/processes/asked`),
delivering (`channels`).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ingestion.processes.asked import ask
from ingestion.processes.entry import Wrong
from live_tail.alerts.notify.channels import Way
from privacy.disk.watched import Watched
from privacy.process_log.log import logger

FILE = "alerting.yaml"
_TELLS = "live_tail.alerts.notify.told_ways"
LOOK_EVERY_S = 2.0
Ways = Mapping[str, Way]
_log = logger()


class WatchedWays:
    """The channels by name, of the newest valid policy; raises `entry.Wrong` for wrong settings."""

    def __init__(self, home: Path | None) -> None:
        first = ask(_TELLS, home)
        self.home = Path(first["home"])
        answers = [first]
        self._watched = Watched(
            lambda: [self.home / FILE],
            lambda: self._asked(answers),
            Wrong,
            otherwise=lambda: _read(first["shipped"]),
            on_refusal=lambda _: _log.error("alerting.yaml is not taken", cause="PolicyProblem"),
            look_every_s=LOOK_EVERY_S,
        )

    def __call__(self) -> Ways:
        """The channels now."""
        self._watched.look()
        return self._watched.value

    def _asked(self, answers: list[dict[str, Any]]) -> Ways:
        given = answers.pop() if answers else ask(_TELLS, self.home)
        if given["problem"]:
            raise Wrong(given["problem"])
        return _read(given["ways"])


def _read(written: Mapping[str, list[Any]]) -> Ways:
    return {
        name: Way(kind, url, None if file is None else Path(file), timeout_s)
        for name, (kind, url, file, timeout_s) in written.items()
    }
