"""`<home>/alerting.yaml`: who is told what, when and how. Validated whole, or not taken at all.

Here: the policy's form, its defaults and reading it. Not here: the form of its fields (`policy_fields`),
acting on it (`dispatch`, `escalate`, `mute`, `times`, `channels`). A file that is wrong leaves the policy
before it in force. Addresses with secrets stay out of it: `url_file` names a file of mode 0600.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from live_tail.alerts.notify.policy_fields import ClockTime, Duration, Matcher, Zone
from live_tail.alerts.notify.ways import FILE, LOOK_EVERY_S
from privacy.disk.watched import Watched
from privacy.process_log.log import logger

_log = logger()
SHIPPED = Path(__file__).with_name("alerting.yaml")
WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()


class PolicyProblem(Exception):
    """alerting.yaml is wrong; the message names every mistake and the fix."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Channel(_Part):
    """One way to reach somebody; `timeout` bounds an attempt."""

    type: Literal["console", "desktop", "webhook", "pagerduty", "apprise"]
    url: str = ""
    url_file: Path | None = None
    timeout: Duration = timedelta(seconds=10)
    send_resolved: bool = True


class Route(_Part):
    """Alertmanager's route; what is not given comes from the route above."""

    matchers: tuple[Matcher, ...] = ()
    receiver: str | None = None
    escalation: str | None = None
    group_by: tuple[str, ...] | None = None
    group_wait: Duration | None = None
    group_interval: Duration | None = None
    repeat_interval: Duration | None = None
    continue_: bool = Field(False, alias="continue")
    routes: tuple["Route", ...] = ()


class Receiver(_Part):
    """Who is told: channels, all of them."""

    name: str
    channels: tuple[str, ...]


class Level(_Part):
    """One step of an escalation; targets are `channel:NAME`, `receiver:NAME` or `on-call:NAME`."""

    after: Duration
    notify: tuple[str, ...]


class Escalation(_Part):
    """Levels by delay after firing; the last repeats until somebody acknowledges."""

    name: str
    levels: tuple[Level, ...]
    repeat_interval: Duration = timedelta(minutes=15)


class InhibitRule(_Part):
    """Alertmanager's inhibition: while a source fires, targets with equal labels are muted."""

    source_matchers: tuple[Matcher, ...]
    target_matchers: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()


class Hours(_Part):
    """Recurring times; `end` before `start` reaches into the next day."""

    start: ClockTime = "00:00"
    end: ClockTime = "24:00"
    weekdays: tuple[str, ...] = tuple(WEEKDAYS)
    days_of_month: tuple[int, ...] = ()


class Maintenance(_Part):
    """A planned mute: recurring `hours` or one span from `starts_at` to `ends_at`."""

    name: str
    matchers: tuple[Matcher, ...]
    time_zone: Zone = "UTC"
    hours: tuple[Hours, ...] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None


class QuietHours(_Part):
    """Nobody is told, except of critical alerts; what still fires is told afterwards."""

    time_zone: Zone = "UTC"
    hours: tuple[Hours, ...] = ()


class Override(_Part):
    """Somebody else is on call between two instants."""

    member: str
    starts_at: datetime
    ends_at: datetime


class Schedule(_Part):
    """An on-call rotation: hand-over every so many days at a local time of day."""

    name: str
    members: tuple[str, ...]
    time_zone: Zone = "UTC"
    starts_on: Annotated[datetime, BeforeValidator(lambda v: datetime.fromisoformat(str(v)))]
    every_days: int = Field(7, ge=1)
    handover: ClockTime = "09:00"
    overrides: tuple[Override, ...] = ()


class Person(_Part):
    """Somebody who can be on call."""

    name: str
    channels: tuple[str, ...]


class Policy(_Part):
    """The whole of alerting.yaml."""

    channels: dict[str, Channel]
    receivers: tuple[Receiver, ...]
    route: Route
    escalations: tuple[Escalation, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    people: tuple[Person, ...] = ()
    inhibit_rules: tuple[InhibitRule, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    quiet_hours: QuietHours = QuietHours()
    acknowledgement_expires_after: Duration = timedelta(hours=24)
    recovery_grace: Duration = timedelta(minutes=30)

    def receiver(self, name: str) -> Receiver:
        """The receiver of this name."""
        return next(r for r in self.receivers if r.name == name)


def load_policy(home: Path, webhook_url: str = "") -> Policy:
    """The policy of a data home, else the shipped one; raises PolicyProblem.

    `webhook_url` is a channel `webhook` that every receiver has in addition.
    """
    file = home / FILE
    file = file if file.exists() else SHIPPED
    try:
        values = yaml.safe_load(file.read_text())
        policy = Policy.model_validate(_with_webhook(values, webhook_url))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise PolicyProblem(f"{file} is not YAML{line}: correct it.") from None
    except ValidationError as error:
        mistakes = "; ".join(
            f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()
        )
        raise PolicyProblem(f"{file} is wrong: {mistakes}.") from None
    except (OSError, AttributeError, TypeError) as error:
        raise PolicyProblem(f"{file} cannot be read ({type(error).__name__}).") from None
    mistakes = list(_dangling(policy))
    if mistakes:
        raise PolicyProblem(f"{file} is wrong: {'; '.join(mistakes)}.")
    return policy


class WatchedPolicy:
    """The policy in force: the newest valid one; its file is looked at every two seconds at most.

    `webhook_url` is told of everything besides: the setting `alerting.webhook_url`.
    """

    def __init__(self, home: Path, webhook_url: str = "") -> None:
        self._watched = Watched(
            lambda: [home / FILE],
            lambda: load_policy(home, webhook_url),
            PolicyProblem,
            otherwise=lambda: load_policy(SHIPPED.parent),
            on_refusal=lambda _: _log.error("alerting.yaml is not taken", cause="PolicyProblem"),
            look_every_s=LOOK_EVERY_S,
        )

    def __call__(self) -> Policy:
        """The policy now."""
        self._watched.look()
        return self._watched.value

    @property
    def problem(self) -> str:
        """Why the file was not taken when it was last looked at; empty when it was."""
        return str(self._watched.problem or "")


def _with_webhook(values: dict[str, Any], url: str) -> dict[str, Any]:
    if not url:
        return values
    values.setdefault("channels", {})["webhook"] = {"type": "webhook", "url": url}
    for receiver in values.get("receivers", []):
        receiver["channels"] = [*receiver.get("channels", []), "webhook"]
    return values


def _dangling(policy: Policy) -> Iterator[str]:
    """Names that nothing defines."""
    receivers = {r.name for r in policy.receivers}
    known = {
        "channel": set(policy.channels),
        "receiver": receivers,
        "on-call": {s.name for s in policy.schedules},
    }
    escalations = {e.name for e in policy.escalations}
    if policy.route.receiver is None:
        yield "route: the top route needs a receiver"
    for route in routes(policy.route):
        if route.receiver and route.receiver not in receivers:
            yield f"route: receiver {route.receiver!r} is not under receivers"
        if route.escalation and route.escalation not in escalations:
            yield f"route: escalation {route.escalation!r} is not under escalations"
    yield from _dangling_people(policy)
    for escalation in policy.escalations:
        for target in (t for level in escalation.levels for t in level.notify):
            kind, _, name = target.partition(":")
            if name not in known.get(kind, set()):
                yield f"escalation {escalation.name!r}: nothing is called {target!r}"


def _dangling_people(policy: Policy) -> Iterator[str]:
    people = {p.name for p in policy.people}
    for schedule in policy.schedules:
        members = {*schedule.members, *(o.member for o in schedule.overrides)}
        if not schedule.members:
            yield f"schedule {schedule.name!r} has no members"
        yield from (f"schedule: {m!r} is not under people" for m in sorted(members - people))
    for owner in (*policy.receivers, *policy.people):
        missing = sorted(set(owner.channels) - set(policy.channels))
        yield from (f"{owner.name}: channel {c!r} is not under channels" for c in missing)


def routes(route: Route) -> Iterator[Route]:
    """A route and all below it."""
    yield route
    for child in route.routes:
        yield from routes(child)
