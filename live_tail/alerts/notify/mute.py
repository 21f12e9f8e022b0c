"""What is not told although it fires: silences, inhibition, maintenance. It stays recorded.

What began while its dependency was dead stays muted for the policy's `recovery_grace` after the
dependency is back: its windows still hold the outage. If it fires then, it is told. A digest of errors
that all came with the outage is its consequence for good.

Here: which mutes hold for which alert, pure. Not here: quiet hours (they delay, see `dispatch`).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from live_tail.alerts.notify.notify_policy import Policy
from live_tail.alerts.notify.times import is_in_maintenance
from live_tail.alerts.words.life_records import Alert, Silence
from live_tail.alerts.words.matchers import matches, matches_targets

Uses = frozenset[tuple[str, str]]
# What an outage set off may begin after its end: growth of errors is tested once a minute.
_AFTERMATH = timedelta(minutes=2)
# An error was there before it was clear what it came from.
_BEFORE = timedelta(minutes=1)


def mutes(
    alerts: Iterable[Alert], silences: Iterable[Silence], policy: Policy, uses: Uses, now: datetime
) -> dict[str, tuple[str, ...]]:
    """By fingerprint of each active alert: `silence:ID`, `maintenance:NAME`, `inhibited:FINGERPRINT`
    and, of a source that is over, `recovering:FINGERPRINT`."""
    known = list(alerts)
    active = [a for a in known if a.is_active]
    open_silences = [s for s in silences if s.starts_at <= now < s.ends_at]
    windows = [w for w in policy.maintenance if is_in_maintenance(w, now)]
    sources = [a for a in active if _is_source(a, policy)]
    over = [a for a in known if not a.is_active and a.resolved_at is not None]
    ended = [(a, a.all_labels()) for a in over if _is_source(a, policy)]
    if not (open_silences or windows or sources or ended):
        return {alert.fingerprint: () for alert in active}
    labels = {a.fingerprint: a.all_labels() for a in active}
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
            *(
                f"recovering:{s.fingerprint}"
                for s, theirs in ended
                if _is_recovering(alert, s, policy, now) and _inhibits(s, theirs, own, policy, uses)
            ),
        )
    return found


def cause_of(alert: Alert, alerts: Mapping[str, Alert]) -> Alert | None:
    """The alert that another is a consequence of, by fingerprint: the first that none mutes in turn."""
    found, seen = alert, {alert.fingerprint}
    while source := next((s for s in _sources(found, alerts) if s.fingerprint not in seen), None):
        found = source
        seen.add(found.fingerprint)
    return found if found is not alert else None


def _sources(alert: Alert, alerts: Mapping[str, Alert]) -> list[Alert]:
    named = (mute.partition(":") for mute in alert.muted_by)
    return [
        alerts[name]
        for kind, _, name in named
        if kind in {"inhibited", "recovering"} and name in alerts
    ]


def silenced_now(matchers: Iterable[str], alerts: Iterable[Alert]) -> list[Alert]:
    """Active alerts that a silence with these matchers would mute."""
    texts = tuple(matchers)
    return [a for a in alerts if a.is_active and matches(texts, a.all_labels())]


def _is_recovering(alert: Alert, source: Alert, policy: Policy, now: datetime) -> bool:
    began, ended = source.fired_at, source.resolved_at
    if began is None or ended is None:
        return False
    first, last = began - _BEFORE, ended + _AFTERMATH
    if alert.groups:
        return all(first <= one.since <= last for one in alert.groups)
    return now - ended < policy.recovery_grace and began <= alert.started_at <= last


def _is_source(alert: Alert, policy: Policy) -> bool:
    if alert.inhibits or not policy.inhibit_rules:
        return bool(alert.inhibits)
    labels = alert.all_labels()
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
