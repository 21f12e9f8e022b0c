"""Alerting at work: a round in, alerts changed and messages in the outbox, in one transaction.

Here: the order of things and what people do (acknowledge, resolve, silence). Not here: the rules of
each step (`life`, `mute`, `dispatch`, `escalate`), HTTP (`api`), sending (`notifier`). The clock is
given; one lock makes rounds and people take turns.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

from ingestion.processes.passes import BatchProblem
from live_tail.alerts.desk import own, own_batch
from live_tail.alerts.desk.outside import matcher_may_stay
from live_tail.alerts.life import transitions as life
from live_tail.alerts.life.store import Store
from live_tail.alerts.notify import templates
from live_tail.alerts.notify.channels import READ_AS_TEXT
from live_tail.alerts.notify.dispatch import Routing, dispatch
from live_tail.alerts.notify.escalate import escalate
from live_tail.alerts.notify.mute import cause_of, mutes, silenced_now
from live_tail.alerts.notify.policy import Policy
from live_tail.alerts.words.matchers import matches, takes_everything
from live_tail.alerts.words.model import Labels, Reading, Round, Rule
from live_tail.alerts.words.records import Alert, Book, Event, Notification, Silence, State
from privacy.gate.treatments import scrub
from privacy.gate.treatments import service as kept_name
from privacy.keys.ids import id_text, new_id

_TIDY = timedelta(hours=1)
_TAG = 8
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_DURABLE = attrgetter(
    "state",
    "level",
    "muted_by",
    "ends_at",
    "acknowledged_at",
    "episode",
    "reason",
    "groups",
    "edition",
)


class Manager:
    """The alerts of a home."""

    def __init__(
        self,
        store: Store,
        policy: Callable[[], Policy],
        *,
        app_url: str = "http://127.0.0.1:8501",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        policy_problem: Callable[[], str] = lambda: "",
        error_rules_problem: Callable[[], str] = lambda: "",
        batch_problems: Callable[[], Sequence[BatchProblem]] = lambda: (),
        wrong_files: Callable[[], Iterable[str]] = lambda: (),
    ) -> None:
        self._store, self._policy, self.app_url, self._clock = store, policy, app_url, clock
        self._policy_problem, self._error_rules_problem = policy_problem, error_rules_problem
        self._batch_problems, self._wrong_files = batch_problems, wrong_files
        self._routing = Routing(policy())
        self._lock = threading.RLock()
        alerts, groups = store.load()
        self._book = Book(alerts, groups)
        self._silences = store.silences()
        self._uses: frozenset[tuple[str, str]] = frozenset()
        self._rules: Mapping[str, Rule] | None = None
        self._unjudged: Mapping[str, str] = {}
        self.began_at = self._tidied_at = clock()

    def take(self, rnd: Round, rules: Mapping[str, Rule]) -> list[Event]:
        """What a round found; returns what happened to the alerts."""
        with self._lock:
            batch = self._batch_problems()
            rnd = own.with_own(rnd, self._store.channels(), self._not_taken(), batch)
            self._uses, self._rules = rnd.uses, {**rules, **own.RULES, **own_batch.told(batch)}
            self._unjudged = rnd.unjudged
            book, events = life.step(self._book, rnd, self._rules)
            return self._settle(book, events, rnd.at)

    def hasten(self, readings: Sequence[Reading]) -> list[Event]:
        """What the fast lane found between two rounds; before the first round nothing is known."""
        with self._lock:
            now = self._clock()
            book, events = life.hasten(self._book, readings, self._rules or {}, now)
            return self._settle(book, events, now) if events else []

    def tick(self) -> list[Event]:
        """Time passes without a round: groups flush, levels are reached."""
        with self._lock:
            return self._settle(self._book, [], self._clock())

    def acknowledge(self, name: str, by: str, note: str = "") -> Alert:
        """Raises life.UnknownAlert. The note is kept as a skeleton."""
        with self._lock:
            now = self._clock()
            book, event = life.acknowledge(self._book, name, kept_name(by), scrub(note), now)
            self._settle(book, [event], now)
            return event.alert

    def resolve(self, name: str, by: str) -> Alert:
        """Raises life.UnknownAlert."""
        with self._lock:
            now = self._clock()
            book, event = life.resolve(self._book, name, kept_name(by), now)
            self._settle(book, [event], now)
            return event.alert

    def tag(self, value: str) -> str:
        """What tells a masked value apart today, in letters: digits would look like a number."""
        name = self._store.pseudonyms.of(value, self._clock().date())
        return name[-_TAG:].translate(_LETTERS)

    def receive(
        self,
        labels: Labels,
        *,
        starts_at: datetime,
        ends_at: datetime | None,
        summary: str,
        effect: str,
    ) -> None:
        """An alert from outside; its texts have passed the gate."""
        with self._lock:
            now = self._clock()
            book, events = life.receive(
                self._book, labels, now, starts_at=starts_at, ends_at=ends_at,
                summary=summary, effect=effect,
            )  # fmt: skip
            self._settle(book, events, now)

    def silence(
        self,
        matchers: Sequence[str],
        ends_at: datetime,
        by: str,
        comment: str,
        starts_at: datetime | None = None,
    ) -> Silence:
        """Mute what matches, from now or later; raises BadMatcher, or ValueError for wrong times."""
        if not matchers or takes_everything(matchers):
            raise ValueError(
                "a silence needs at least one matcher that does not match the empty text:"
                " it would mute nearly everything"
            )
        with self._lock:
            labels = [alert.all_labels() for alert in self._book.alerts.values()]
        if not all(
            matcher_may_stay(
                text, lambda name, value: any(one.get(name) == value for one in labels)
            )
            for text in matchers
        ):
            raise ValueError("a matcher holds what no label can hold after the privacy gate")
        with self._lock:
            now = self._clock()
            begins_at = max(starts_at or now, now)
            if ends_at <= begins_at:
                raise ValueError("a silence needs an end in the future")
            silence = Silence(
                new_id(6),
                tuple(matchers),
                begins_at,
                ends_at,
                kept_name(by),
                scrub(comment),
            )
            self._store.put_silence(silence)
            self._silences = self._store.silences()
            self._settle(self._book, [], now)
            return silence

    def unsilence(self, silence_id: str) -> Silence:
        """End a silence now; raises life.Unknown."""
        with self._lock:
            now = self._clock()
            running = (s for s in self._silences if s.id == silence_id and s.ends_at > now)
            found = next(running, None)
            if found is None:
                raise life.Unknown(
                    f"no silence that is in force has the id {kept_name(silence_id)[:40]!r}: the Alerts "
                    "page lists them, and `alerts silence` prints the id of a new one."
                )
            ended = replace(found, ends_at=now)
            self._store.put_silence(ended)
            self._silences = self._store.silences()
            self._settle(self._book, [], now)
            return ended

    def preview(self, matchers: Sequence[str]) -> list[Alert]:
        """Alerts that fire now and that a silence would mute; raises BadMatcher."""
        with self._lock:
            return silenced_now(matchers, self._book.alerts.values())

    def alerts(self, matchers: Sequence[str] = ()) -> list[Alert]:
        """Pending and active alerts, the worst and newest first."""
        with self._lock:
            found = [a for a in self._book.alerts.values() if a.state is not State.RESOLVED]
        order = {"firing": 0, "acknowledged": 1, "pending": 2}
        severities = ["critical", "warning", "info"]
        found = [a for a in found if matches(matchers, a.all_labels())]
        return sorted(
            found,
            key=lambda a: (
                order[a.state.value], bool(a.muted_by), severities.index(a.severity.value),
                -a.started_at.timestamp(),
            ),
        )  # fmt: skip

    def find(self, name: str) -> Alert:
        """An alert by id or fingerprint, resolved ones included; raises life.UnknownAlert."""
        with self._lock:
            known = [*self._book.alerts.values(), *self._store.history(1_000)]
            # Of an episode that is forgotten the alert's latest one: what somebody was told may be old.
            for part in (name, name.rpartition("-")[0]):
                for alert in known:
                    if len(part) >= 4 and (alert.id == part or alert.fingerprint.startswith(part)):
                        return alert
        raise life.UnknownAlert(
            f"no alert has the id {kept_name(name)[:40]!r}: see `./tta.sh monitor alerts list`."
        )

    def cause_of(self, alert: Alert) -> Alert | None:
        """The alert that this one is a consequence of, which may be over."""
        with self._lock:
            return cause_of(alert, self._book.alerts)

    def receivers_of(self, alert: Alert) -> list[str]:
        """The receivers that the policy routes an alert to."""
        with self._lock:
            return list(dict.fromkeys(p.way.receiver for p in self.routing.places(alert)))

    def history(self, limit: int) -> list[Alert]:
        """Resolved episodes, the newest first."""
        with self._lock:
            return self._store.history(limit)

    def events(self, alert: Alert) -> list[dict[str, Any]]:
        """What happened to an episode."""
        with self._lock:
            return self._store.events(alert.id)

    def silences(self, *, ended_within: timedelta = timedelta(0)) -> list[Silence]:
        """Silences that have not ended, or did so within this time."""
        now = self._clock()
        with self._lock:
            return [s for s in self._silences if s.ends_at > now - ended_within]

    def deliveries(self, limit: int) -> list[dict[str, Any]]:
        """The delivery log."""
        with self._lock:
            return self._store.deliveries(limit)

    def channels(self) -> list[dict[str, Any]]:
        """Every channel of the policy and how it fares."""
        with self._lock:
            known = {c["name"]: c for c in self._store.channels()}
        empty = {"failures": 0, "failing_us": None, "error": "", "ok_us": None}
        return [
            {**empty, **known.get(name, {}), "name": name, "type": channel.type}
            for name, channel in self._policy().channels.items()
        ]

    def test_channel(self, name: str) -> str:
        """Put a test message into the outbox; returns its key. Raises life.Unknown."""
        key = new_id(16)
        with self._lock:
            if name not in self.routing.policy.channels:
                raise life.Unknown(
                    f"no channel is called {kept_name(name)[:40]!r}: alerting.yaml names them under "
                    "`channels`."
                )
            now = self._clock()
            rule = Rule("ChannelTest", "own", {}, own.Severity.INFO, "This is a test of a channel")
            alert = Alert(id_text(key[:16]), rule.name, (("channel", name),), rule.severity, State.FIRING,
                          now, rule.summary, fired_at=now, episode=1)  # fmt: skip
            told = Notification(key, f"test:{key}", name, "test", "test", (alert,), ())
            self._store.commit(
                [], [], (self._book.groups, self._book.groups), [self._out(told)], now
            )
        return key

    def state_of(self, key: str) -> str | None:
        """Where a message stands."""
        with self._lock:
            return self._store.state_of(key)

    @property
    def routing(self) -> Routing:
        """Where alerts go under the policy in force."""
        with self._lock:
            policy = self._policy()
            if policy is not self._routing.policy:
                self._routing = Routing(policy)
            return self._routing

    def unjudged(self) -> dict[str, str]:
        """Why a rule could not judge some of its series in the last round, by rule."""
        with self._lock:
            return dict(self._unjudged)

    def _not_taken(self) -> set[str]:
        known = {
            "alerting.yaml": self._policy_problem(),
            "errors.yaml": self._error_rules_problem(),
        }
        return {name for name, problem in known.items() if problem} | set(self._wrong_files())

    def problem(self) -> str:
        """Why the newest alerting.yaml or errors.yaml was not taken, if so."""
        return " ".join(filter(None, (self._policy_problem(), self._error_rules_problem())))

    def _settle(self, book: Book, events: list[Event], now: datetime) -> list[Event]:
        """Mutes, groups and levels after a change; then everything is committed at once."""
        routing = self.routing
        policy = routing.policy
        after = policy.acknowledgement_expires_after
        forgotten = life.expired_acknowledgements(book, now, after)
        book = life.changed(book, forgotten)
        events = [*events, *(Event(now, "unacknowledged", a) for a in forgotten)]
        book, muted = self._muted(book, policy, now)
        events += muted
        groups, told = dispatch(book, routing, now)
        raised, more = escalate(book, routing, now)
        book = Book(life.changed(book, raised).alerts, groups, book.at)
        # Who hears of all of it at this very instant is not told twice.
        heard = {(n.channel, a.id) for n in told for a in n.firing} if more else set()
        told += [n for n in more if not all((n.channel, a.id) in heard for a in n.firing)]
        events += [Event(now, "escalated", a, f"level {a.level}") for a in raised]
        notified = {a.fingerprint: a for n in told for a in n.firing}
        events += [Event(now, "notified", a) for a in notified.values()]
        changed = [
            a
            for name, a in book.alerts.items()
            if a.episode and _is_changed(self._book.alerts.get(name), a)
        ]
        kept = [e for e in events if e.alert.episode]
        if changed or kept or told or groups != self._book.groups:
            outgoing = [self._out(n) for n in told]
            self._store.commit(changed, kept, (self._book.groups, groups), outgoing, now)
        self._book = book
        if now - self._tidied_at > _TIDY:
            self._store.tidy(now)
            self._tidied_at = now
        return events

    def _muted(self, book: Book, policy: Policy, now: datetime) -> tuple[Book, list[Event]]:
        found = mutes(book.alerts.values(), self._silences, policy, self._uses, now)
        changed = [
            replace(book.alerts[name], muted_by=by, unmuted_at=None if by else now)
            for name, by in found.items()
            if book.alerts[name].muted_by != by
        ]
        events = [
            Event(now, "muted" if a.muted_by else "unmuted", a, ", ".join(a.muted_by))
            for a in changed
        ]
        return life.changed(book, changed), events

    def _out(self, told: Notification) -> tuple[str, str, str, timedelta, dict[str, Any]]:
        payload: dict[str, Any] = {
            "title": templates.title(told),
            "body": templates.body(told, self.app_url),
        }
        # A text ends after ten alerts; what programs read names every one of thousands.
        kind = self._routing.policy.channels[told.channel].type
        if kind not in READ_AS_TEXT:
            payload["alertmanager"] = templates.alertmanager(told, self.app_url)
        if kind == "pagerduty":
            payload["pagerduty"] = templates.pagerduty(told, self.app_url)
        return told.key, told.subject, told.channel, told.again_after, payload


def _is_changed(before: Alert | None, after: Alert) -> bool:
    """Whether something that must survive a restart is different; values need not."""
    return before is None or (before is not after and _DURABLE(before) != _DURABLE(after))
