"""Tells the notifier which channels there are: `python -m live_tail.alerts.notify.told_ways [--home DIR]`.

Here: from the policy in force to what delivering needs, as JSON. Not here: the policy (`policy`), who asks
(`ways`).
"""

import sys
from typing import Any

from ingestion.processes.asked import answer
from ingestion.settings import Settings
from live_tail.alerts.notify.channels import Way
from live_tail.alerts.notify.notify_policy import SHIPPED, Policy, PolicyProblem, load_policy
from live_tail.alerts.notify.ways import Ways


def ways_of(policy: Policy) -> dict[str, Way]:
    """What a policy's channels need to be delivered on."""
    return {
        name: Way(one.type, one.url, one.url_file, one.timeout.total_seconds())
        for name, one in policy.channels.items()
    }


def _told(settings: Settings) -> dict[str, Any]:
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


if __name__ == "__main__":
    sys.exit(answer(_told))
