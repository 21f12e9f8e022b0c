"""How rules would have behaved: captured bodies or history, in the order they arrived.

Here: decode, gate, window, rules, life, in simulated time, in memory. Not here: reading captures
(`tta_monitor/traffic/replay`), printing (`tta_monitor/commands`). Pseudonyms use keys that nobody keeps.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contracts import SIGNALS
from ingestion.lake.catalog import Catalog
from ingestion.lake.duck import add_file_keys, connect
from ingestion.lake.partitions import scan
from ingestion.receivers.decoding.flatten import flatten
from ingestion.receivers.decoding.protobuf import to_arrow
from ingestion.settings import Settings
from live_tail.alerts.reading.seasons import Hours
from live_tail.alerts.trials.simulate import Simulation, as_json
from live_tail.alerts.words.rule_records import Rule
from privacy.gate.gate_columns import Gate
from privacy.keys.key_store import KeyStore
from privacy.keys.pseudonyms import Pseudonyms

Arrived = tuple[float, str, pa.Table]
"""Unix seconds of receipt, signal, landed rows."""
_TAIL = timedelta(seconds=90)
_LONGEST_DELAY = timedelta(minutes=10)
_SAMPLED = 20


@dataclass(frozen=True)
class Body:
    """One captured export: plain protobuf and when it was received, Unix seconds."""

    signal: str
    content: bytes
    received_s: float


@dataclass(frozen=True)
class Backtest:
    """What was fed and what the rules made of it.

    `received_later_s`: by how much times of receipt were moved back to the facts' own.
    """

    started_at: datetime
    ended_at: datetime
    items: dict[str, int]
    unreadable_bodies: int
    received_later_s: float
    rounds: int
    failed_rules: dict[str, str]
    unjudged_rules: dict[str, str]
    alerts: list[dict[str, Any]]


class NothingToReplay(Exception):
    """There is no fact in what was given."""


def backtest_bodies(bodies: Sequence[Body], rules: Sequence[Rule], step: timedelta) -> Backtest:
    """Run captured bodies through gate, window and rules. Raises NothingToReplay.

    A capture that was received long after (or before) what it tells is judged at its own time.
    """
    if not bodies:
        raise NothingToReplay
    unreadable = 0
    shift_s = 0.0

    def arrived() -> Iterator[Arrived]:
        nonlocal unreadable, shift_s
        with tempfile.TemporaryDirectory() as folder:
            gate = Gate(Pseudonyms(KeyStore.open(Path(folder), create=True), "operations"))
            ordered = sorted(bodies, key=lambda b: b.received_s)
            shift_s = _shift_s(ordered, gate)
            for some in _by_step(ordered, step.total_seconds()):
                received_s = some[-1].received_s - shift_s
                table, bad = _landed(some, gate, received_s)
                unreadable += bad
                if table.num_rows:
                    yield received_s, some[0].signal, table

    return _run(arrived(), rules, step, lambda: (unreadable, shift_s))


def _landed(some: Sequence[Body], gate: Gate, received_s: float) -> tuple[pa.Table, int]:
    """Bodies of one signal as landed rows, and how many could not be read."""
    gate.begin(datetime.fromtimestamp(received_s, UTC).date())
    batch, _, bad = to_arrow(some[0].signal, [body.content for body in some])
    return flatten(some[0].signal, batch, gate, int(received_s * 1e6)).table, len(bad)


def _by_step(ordered: Sequence[Body], step_s: float) -> Iterator[list[Body]]:
    """Bodies that a round finds together, by signal: one decoding costs much the same as many."""
    start = ordered[0].received_s
    for _, some in groupby(ordered, key=lambda b: int((b.received_s - start) / step_s)):
        by_signal: dict[str, list[Body]] = {}
        for body in some:
            by_signal.setdefault(body.signal, []).append(body)
        yield from by_signal.values()


def _shift_s(ordered: Sequence[Body], gate: Gate) -> float:
    """How long after its newest fact a body was received, when that is no matter of a delay."""
    lags = []
    for body in ordered[:: max(len(ordered) // _SAMPLED, 1)]:
        table, _ = _landed([body], gate, body.received_s)
        if table.num_rows:
            times = table["start_at" if body.signal == "spans" else "event_at"]
            newest = pc.max(times.cast(pa.int64())).as_py()
            lags.append(body.received_s - newest / 1e6)
    usual = median(lags) if lags else 0.0
    return usual if abs(usual) > _LONGEST_DELAY.total_seconds() else 0.0


def backtest_history(
    settings: Settings,
    since: timedelta,
    rules: Sequence[Rule],
    step: timedelta,
    *,
    with_archive: bool = False,
) -> Backtest:
    """Run what the lake holds of the last `since`, in order of receipt, the archive when asked.

    Seasonal rules know the hours before that the live tail has kept for them. Raises NothingToReplay.
    """
    hours = Hours(settings.home, KeyStore.open(settings.home))
    history = _history(settings, since, with_archive)
    return _run(history, rules, step, lambda: (0, 0.0), hours)


def _run(
    arrived: Iterable[Arrived],
    rules: Sequence[Rule],
    step: timedelta,
    found: Callable[[], tuple[int, float]],
    hours: Hours | None = None,
) -> Backtest:
    simulation: Simulation | None = None
    started = now = last = datetime.now(UTC)
    waiting: dict[str, list[pa.Table]] = {}
    items: dict[str, int] = {}
    rounds = 0
    for received_s, signal, table in arrived:
        at = datetime.fromtimestamp(received_s, UTC)
        if simulation is None:
            started = now = at
            known = (hours or Hours()).before(at.replace(tzinfo=None))
            simulation = Simulation(rules, at, hours=known)
        while now + step <= at:
            simulation.ingest(waiting)
            waiting = {}
            now += step
            simulation.advance(now)
            rounds += 1
        waiting.setdefault(signal, []).append(table)
        last = at
        items[signal] = items.get(signal, 0) + table.num_rows
    if simulation is None:
        raise NothingToReplay
    simulation.ingest(waiting)
    end = last + _TAIL
    while now < end:
        now += step
        simulation.advance(now)
        rounds += 1
    return Backtest(
        started_at=started,
        ended_at=now,
        items=items,
        unreadable_bodies=found()[0],
        received_later_s=found()[1],
        rounds=rounds,
        failed_rules=simulation.failed,
        unjudged_rules=simulation.unjudged,
        alerts=[as_json(one) for one in simulation.lives if one.firing_at],
    )


def _history(settings: Settings, since: timedelta, with_archive: bool) -> Iterator[Arrived]:
    """Lake rows hour by hour of event time, each hour in order of receipt, second by second."""
    keys = KeyStore.open(settings.home)
    catalog = Catalog(settings.lake_path)
    start = datetime.now(UTC).replace(tzinfo=None) - since
    files = {
        s: [
            f
            for f in catalog.files(s)
            if f.hour_at >= start - timedelta(hours=1) and (with_archive or not f.is_archived)
        ]
        for s in SIGNALS
    }
    catalog.close()
    for hour in sorted({f.hour_at for some in files.values() for f in some}):
        tables: list[tuple[str, pa.Table]] = []
        for signal, some in files.items():
            chosen = [f for f in some if f.hour_at == hour]
            if chosen:
                con = connect(memory_limit=settings.warehouse.memory_limit)
                add_file_keys(con, keys, chosen)
                sql = f"{scan(settings, chosen)} ORDER BY received_at"
                tables.append((signal, con.execute(sql).to_arrow_table()))
                con.close()
        yield from _by_second(tables, start)


def _by_second(tables: list[tuple[str, pa.Table]], start: datetime) -> Iterator[Arrived]:
    parts: list[Arrived] = []
    for signal, table in tables:
        kept = table.filter(pc.greater_equal(table["received_at"], pa.scalar(start)))
        seconds = pc.divide(kept["received_at"].cast(pa.int64()), 1_000_000)
        numbers = seconds.to_numpy()
        edges = [
            0,
            *(i for i in range(1, len(numbers)) if numbers[i] != numbers[i - 1]),
            len(numbers),
        ]
        for low, high in pairwise(edges):
            if high > low:
                parts.append((float(numbers[low]), signal, kept.slice(low, high - low)))
    yield from sorted(parts, key=lambda part: part[0])
