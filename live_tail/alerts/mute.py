"""What is not told although it fires: silences, inhibition, maintenance. It stays recorded.

Here: which mutes hold for which alert, pure. Not here: quiet hours (they delay, see `dispatch`).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from live_tail.alerts.matchers import matches, matches_targets
from live_tail.alerts.policy import Policy
from live_tail.alerts.records import Alert, Silence
from live_tail.alerts.times import is_in_maintenance

Uses = frozenset[tuple[str, str]]


def mutes(
    alerts: Iterable[Alert], silences: Iterable[Silence], policy: Policy, uses: Uses, now: datetime
) -> dict[str, tuple[str, ...]]:
    """By fingerprint of each active alert: `silence:ID`, `inhibited:FINGERPRINT`, `maintenance:NAME`."""
    active = [a for a in alerts if a.is_active]
    labels = {a.fingerprint: a.all_labels() for a in active}
    open_silences = [s for s in silences if s.starts_at <= now < s.ends_at]
    windows = [w for w in policy.maintenance if is_in_maintenance(w, now)]
    sources = [a for a in active if a.inhibits or _is_source(labels[a.fingerprint], policy)]
    found: dict[str, tuple[str, ...]] = {}
    for alert in active:
        own = labels[alert.fingerprint]
        found[alert.fingerprint] = (
            *(f"silence:{s.id}" for s in open_silences if matches(s.matchers, own)),
            *(f"maintenance:{w.name}" for w in windows if matches(w.matchers, own)),
            *(
                f"inhibited:{s.fingerprint}"
                for s in sources
                if s is not alert and _inhibits(s, labels[s.fingerprint], own, policy, uses)
            ),
        )
    return found


def silenced_now(matchers: Iterable[str], alerts: Iterable[Alert]) -> list[Alert]:
    """Active alerts that a silence with these matchers would mute."""
    texts = tuple(matchers)
    return [a for a in alerts if a.is_active and matches(texts, a.all_labels())]


def _is_source(labels: Mapping[str, str], policy: Policy) -> bool:
    return any(matches(r.source_matchers, labels) for r in policy.inhibit_rules)


def _inhibits(
    source: Alert, theirs: Mapping[str, str], own: Mapping[str, str], policy: Policy, uses: Uses
) -> bool:
    for rule in source.inhibits:
        if not matches_targets(rule.targets, own) or not _equal(rule.equal, theirs, own):
            continue
        if not rule.by_use or (own.get("component"), theirs.get("dependency")) in uses:
            return True
    # As in Alertmanager, an alert that is source and target of one rule does not mute its like.
    return any(
        matches(r.source_matchers, theirs)
        and matches(r.target_matchers, own)
        and not matches(r.source_matchers, own)
        and _equal(r.equal, theirs, own)
        for r in policy.inhibit_rules
    )


def _equal(names: Iterable[str], theirs: Mapping[str, str], own: Mapping[str, str]) -> bool:
    return all(theirs.get(n, "") == own.get(n, "") for n in names)
