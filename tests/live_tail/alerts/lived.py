"""Hours of the simulator and of the capture in memory, and what alerting makes of them and tells.

Here: telemetry by second under a clock that nobody waits for, and a whole alerting (window, fast
lane, rounds, manager with its outbox) that is fed with it as the live tail feeds its own.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.compute as pc
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ingestion.meaning.errors.group_store import ErrorStore
from ingestion.receivers.decoding.flatten import flatten
from ingestion.receivers.decoding.protobuf import to_arrow
from live_tail.alerts.desk.manager import Manager
from live_tail.alerts.life.alert_store import Store
from live_tail.alerts.notify.notify_policy import SHIPPED as POLICY
from live_tail.alerts.notify.notify_policy import load_policy
from live_tail.alerts.reading.rule_sources import Sources, group_changes
from live_tail.alerts.rules.evaluate import readings_of
from live_tail.alerts.rules.failing import Failures, failing
from live_tail.alerts.rules.fast_lane import is_for_fast_lane
from live_tail.alerts.rules.rounds import Rounds
from live_tail.alerts.rules.rule_files import SHIPPED, load_rules
from live_tail.alerts.trials.backtest import Body
from live_tail.alerts.words.life_records import Alert, Event
from live_tail.window.error_groups import HotErrors
from live_tail.window.history import Deliveries
from live_tail.window.window import Window
from privacy.gate.gate_columns import Gate
from privacy.keys.key_store import KeyStore
from privacy.keys.pseudonyms import Pseudonyms
from tta_monitor.simulator.traffic import Pipes, Traffic

_METRICS_EVERY_S = 5


class _Recorder:
    """The SDK's pipes into memory; `bodies` empties them into exports."""

    def __init__(self) -> None:
        self._spans, self._logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
        self._readers: list[InMemoryMetricReader] = []
        self.pipes = Pipes(
            lambda: SimpleSpanProcessor(self._spans),
            lambda: SimpleLogRecordProcessor(self._logs),
            self._reader,
        )

    def _reader(self) -> InMemoryMetricReader:
        self._readers.append(InMemoryMetricReader())
        return self._readers[-1]

    def bodies(self, at_s: float, *, with_metrics: bool) -> Iterator[Body]:
        if spans := self._spans.get_finished_spans():
            yield Body("spans", encode_spans(spans).SerializeToString(), at_s)
        if logs := self._logs.get_finished_logs():
            yield Body("logs", encode_logs(logs).SerializeToString(), at_s)
        self._spans.clear()
        self._logs.clear()
        for reader in self._readers if with_metrics else ():
            data = reader.get_metrics_data()
            if data is None:
                continue
            request = encode_metrics(data)
            for resource in request.resource_metrics:
                for metric in resource.scope_metrics[0].metrics:
                    some = metric.gauge if metric.HasField("gauge") else metric.sum
                    for point in some.data_points:
                        point.time_unix_nano = int(at_s * 1e9)
            yield Body("metric_points", request.SerializeToString(), at_s)


def simulated(
    start_s: float, seconds: int, *, rate: float = 4.0, seed: int = 7, is_calm: bool = False
) -> Iterator[Body]:
    """What the simulator exports, each second of its life as bodies received at the second's end."""
    recorder = _Recorder()
    traffic = Traffic(seed, recorder.pipes, is_calm=is_calm)
    chance = Random(seed)
    at = chance.expovariate(rate)
    for second in range(1, seconds + 1):
        while at < second:
            traffic.request(int((start_s + at) * 1e9))
            at += chance.expovariate(rate)
        is_due = second % _METRICS_EVERY_S == 0
        yield from recorder.bodies(start_s + second, with_metrics=is_due)


class Desk:
    """Alerting of one home under a clock of its own: `feed` it bodies, look at what it told.

    Every `step_s` seconds what has arrived is taken in and a round is made.
    """

    def __init__(self, home: Path, start_s: float, *, step_s: int = 5) -> None:
        keys = KeyStore.open(home, create=True)
        self.now = datetime.fromtimestamp(start_s, UTC)
        self._step, self._seq = timedelta(seconds=step_s), 0
        self._gate = Gate(Pseudonyms(keys, "operations"))
        errors = HotErrors(ErrorStore(home, keys))
        self.window = Window(
            minutes=60, max_errors=2_000, clock=lambda: self.now, hot_errors=errors
        )
        # What arrives between two rounds is little: a second thread costs more than it does.
        self.window.cursor().execute("SET threads = 1")
        sources = Sources(self.window, groups=lambda since: group_changes(self.window, since))
        self._rules = {rule.name: rule for rule in load_rules([SHIPPED])}
        self._rounds = Rounds(sources, list(self._rules.values()))
        self._failures, self._deliveries = Failures(), Deliveries()
        self._fast = Sources(self._failures)
        self.store = Store(home, keys)
        policy = load_policy(POLICY.parent)
        self.manager = Manager(self.store, lambda: policy, clock=lambda: self.now)
        self.events: list[Event] = []
        self.failed: dict[str, str] = {}
        self._tidied_at = self.now

    def feed(self, bodies: Iterable[Body]) -> None:
        """Bodies in the order of their receipt; time passes between them."""
        waiting: list[Body] = []
        for body in bodies:
            while body.received_s > (self.now + self._step).timestamp():
                self._advance(waiting)
                waiting = []
            waiting.append(body)
        self._advance(waiting)

    def wait(self, **by: float) -> None:
        """Time passes and nothing comes."""
        end = self.now + timedelta(**by)
        while self.now < end:
            self._advance([])

    def _advance(self, bodies: list[Body]) -> None:
        self.now += self._step
        for signal in ("spans", "logs", "metric_points"):
            some = [body for body in bodies if body.signal == signal]
            if some:
                received_us = int(some[-1].received_s * 1e6)
                self._ingest(signal, [body.content for body in some], received_us)
        if self.now - self._tidied_at >= timedelta(seconds=30):
            self.window.tidy()
            self._tidied_at = self.now
        made = self._rounds.make(self.now)
        self.failed |= made.failed
        self.events += self.manager.take(made, self._rules)

    def _ingest(self, signal: str, contents: list[bytes], received_us: int) -> None:
        self._gate.begin(self.now.date())
        batch, _, _ = to_arrow(signal, contents)
        table = flatten(signal, batch, self._gate, received_us).table
        self._seq += 1
        if signal != "metric_points":
            self._hasten(signal, table)
        self.window.ingest(signal, [(self._seq, table)])

    def _hasten(self, signal: str, table: pa.Table) -> None:
        rows = failing(signal, self._deliveries.marked(signal, table))
        rows = rows.filter(pc.invert(rows["is_history"])).drop_columns(["is_history"])
        at = self.now.replace(tzinfo=None)
        if rows.num_rows:
            self._rounds.hasten(self.now)
        if rows.num_rows and self._failures.add(signal, [(self._seq, rows)], at):
            rules = [rule for rule in self._rules.values() if is_for_fast_lane(rule)]
            found = [one for rule in rules for one in readings_of(rule, self._fast, at)]
            self.events += self.manager.hasten(found)

    def fired(self) -> list[Alert]:
        """Every alert that fired, muted or not, in order."""
        return [e.alert for e in self.events if e.kind in {"fired", "reopened"}]

    def cause(self, alert: Alert) -> Alert | None:
        """What an alert that fired is a consequence of, by the last that is known of it."""
        last = self.manager.board.find(alert.fingerprint)
        muted = [e.alert for e in self.events if e.kind == "muted" and e.alert.id == alert.id]
        return self.manager.board.cause_of(muted[-1] if muted else last)

    def told(self) -> list[tuple[str, str]]:
        """(what happened, title) of everything that was told, once for all channels."""
        payloads = [
            self.store.outbox.payload(row["key"]) for row in self.store.outbox.deliveries(1_000)
        ]
        return list(dict.fromkeys(p["title"] for p in reversed(payloads)))

    def rules_fired(self) -> Counter[str]:
        """How often each rule fired."""
        return Counter(alert.rule for alert in self.fired())
