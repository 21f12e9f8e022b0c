"""Alerting at work: a round in, alerts changed and messages in the outbox, in one transaction.

Here: what rounds, time and people (acknowledge, resolve, silence) change. Not here: what follows from a
change (`settling`), reading (`board`), HTTP (`api`), sending (`notifier`). The clock is given; one lock
makes rounds and people take turns.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from ingestion.processes.passes import BatchProblem
from live_tail.alerts.desk import own, own_batch
from live_tail.alerts.desk.board import Board
from live_tail.alerts.desk.settling import Standing, outgoing, settle
from live_tail.alerts.desk.silences import Silences
from live_tail.alerts.life import by_hand, transitions
from live_tail.alerts.life.alert_store import Store
from live_tail.alerts.notify.dispatch import Routing
from live_tail.alerts.notify.notify_policy import Policy
from live_tail.alerts.words.life_records import Alert, Book, Event, Notification, Silence, State
from live_tail.alerts.words.rule_records import Labels, Reading, Round, Rule
from privacy.gate.treatments import scrub
from privacy.gate.treatments import service as kept_name
from privacy.keys.ids import id_text, new_id

_TIDY = timedelta(hours=1)
_TAG = 8
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


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
        self._silences = Silences(store)
        self.board = Board(store, self._lock, lambda: self._book.alerts, lambda: self.routing)
        self._uses: frozenset[tuple[str, str]] = frozenset()
        self._rules: Mapping[str, Rule] | None = None
        self._unjudged: Mapping[str, str] = {}
        self.began_at = self._tidied_at = clock()

    def take(self, rnd: Round, rules: Mapping[str, Rule]) -> list[Event]:
        """What a round found; returns what happened to the alerts."""
        with self._lock:
            batch = self._batch_problems()
            rnd = own.with_own(rnd, self._store.outbox.channels(), self._not_taken(), batch)
            self._uses, self._rules = rnd.uses, {**rules, **own.RULES, **own_batch.told(batch)}
            self._unjudged = rnd.unjudged
            book, events = transitions.step(self._book, rnd, self._rules)
            return self._settle(book, events, rnd.at)

    def hasten(self, readings: Sequence[Reading]) -> list[Event]:
        """What the fast lane found between two rounds; before the first round nothing is known."""
        with self._lock:
            now = self._clock()
            book, events = transitions.hasten(self._book, readings, self._rules or {}, now)
            return self._settle(book, events, now) if events else []

    def tick(self) -> list[Event]:
        """Time passes without a round: groups flush, levels are reached."""
        with self._lock:
            return self._settle(self._book, [], self._clock())

    def acknowledge(self, name: str, by: str, note: str = "") -> Alert:
        """Raises by_hand.UnknownAlert. The note is kept as a skeleton."""
        with self._lock:
            now = self._clock()
            book, event = by_hand.acknowledge(self._book, name, kept_name(by), scrub(note), now)
            self._settle(book, [event], now)
            return event.alert

    def resolve(self, name: str, by: str) -> Alert:
        """Raises by_hand.UnknownAlert."""
        with self._lock:
            now = self._clock()
            book, event = by_hand.resolve(self._book, name, kept_name(by), now)
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
            book, events = by_hand.receive(
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
        with self._lock:
            now = self._clock()
            begins_at = max(starts_at or now, now)
            known = self._book.alerts.values()
            made = self._silences.add(
                matchers, ends_at, by, comment, starts_at=begins_at, known=known
            )
            self._settle(self._book, [], now)
            return made

    def unsilence(self, silence_id: str) -> Silence:
        """End a silence now; raises by_hand.Unknown."""
        with self._lock:
            now = self._clock()
            ended = self._silences.end(silence_id, now)
            self._settle(self._book, [], now)
            return ended

    def silences(self, *, ended_within: timedelta = timedelta(0)) -> list[Silence]:
        """Silences that have not ended, or did so within this time."""
        with self._lock:
            return self._silences.ended_after(self._clock(), within=ended_within)

    def test_channel(self, name: str) -> str:
        """Put a test message into the outbox; returns its key. Raises by_hand.Unknown."""
        key = new_id(16)
        with self._lock:
            if name not in self.routing.policy.channels:
                raise by_hand.Unknown(
                    f"no channel is called {kept_name(name)[:40]!r}: alerting.yaml names them under "
                    "`channels`."
                )
            now = self._clock()
            rule = Rule("ChannelTest", "own", {}, own.Severity.INFO, "This is a test of a channel")
            alert = Alert(id_text(key[:16]), rule.name, (("channel", name),), rule.severity, State.FIRING,
                          now, rule.summary, fired_at=now, episode=1)  # fmt: skip
            told = Notification(key, f"test:{key}", name, "test", "test", (alert,), ())
            message = outgoing(told, self.routing, self.app_url)
            self._store.commit([], [], (self._book.groups, self._book.groups), [message], now)
        return key

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
        """What follows from a change; everything is committed at once."""
        routing = self.routing
        done = settle(book, events, Standing(routing, self._silences.all, self._uses), now)
        changed = done.changed_since(self._book)
        kept = [e for e in done.events if e.alert.episode]
        groups = self._book.groups, done.book.groups
        if changed or kept or done.told or groups[0] != groups[1]:
            messages = [outgoing(n, routing, self.app_url) for n in done.told]
            self._store.commit(changed, kept, groups, messages, now)
        self._book = done.book
        if now - self._tidied_at > _TIDY:
            self._store.tidy(now)
            self._tidied_at = now
        return done.events
