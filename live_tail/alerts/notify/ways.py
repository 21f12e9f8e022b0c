"""The channels of a home for the notifier: `python -m live_tail.alerts.notify.ways [--home DIR]`.

Here: the channels of the policy in force, asked of a process that ends: reading a policy takes 10 MB. Not
here: the policy (`policy`), the asking (`ingestion/processes/asked`), delivering (`channels`).
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion.processes.asked import Wrong, answer, ask
from live_tail.alerts.notify.channels import Way
from live_tail.alerts.notify.watched import PolicyProblem, Watched

if TYPE_CHECKING:
    from ingestion.settings import Settings
    from live_tail.alerts.notify.policy import Policy

Ways = Mapping[str, Way]


class WatchedWays(Watched[Ways]):
    """The channels by name, of the newest valid policy; raises `asked.Wrong` for wrong settings."""

    def __init__(self, home: Path | None) -> None:
        first = ask(__name__, home)
        self.home = Path(first["home"])
        answers = [first]
        super().__init__(self.home, lambda: self._asked(answers), lambda: _read(first["shipped"]))

    def _asked(self, answers: list[dict[str, Any]]) -> Ways:
        try:
            given = answers.pop() if answers else ask(__name__, self.home)
        except Wrong as wrong:
            raise PolicyProblem(str(wrong)) from None
        if given["problem"]:
            raise PolicyProblem(given["problem"])
        return _read(given["ways"])


def ways_of(policy: "Policy") -> dict[str, Way]:
    """What a policy's channels need to be delivered on."""
    return {
        name: Way(one.type, one.url, one.url_file, one.timeout.total_seconds())
        for name, one in policy.channels.items()
    }


def _told(settings: "Settings") -> dict[str, Any]:
    from live_tail.alerts.notify.policy import SHIPPED, load_policy  # noqa: PLC0415 - for this process alone

    shipped = _written(ways_of(load_policy(SHIPPED.parent)))
    told = {"home": str(settings.home), "shipped": shipped, "problem": "", "ways": shipped}
    try:
        policy = load_policy(settings.home, settings.alerting.webhook_url)
    except PolicyProblem as problem:
        return told | {"problem": str(problem)}
    return told | {"ways": _written(ways_of(policy))}


def _written(ways: Ways) -> dict[str, list[Any]]:
    return {
        name: [
            way.type,
            way.url,
            None if way.url_file is None else str(way.url_file),
            way.timeout_s,
        ]
        for name, way in ways.items()
    }


def _read(written: Mapping[str, list[Any]]) -> Ways:
    return {
        name: Way(kind, url, None if file is None else Path(file), timeout_s)
        for name, (kind, url, file, timeout_s) in written.items()
    }


if __name__ == "__main__":
    sys.exit(answer(_told))
