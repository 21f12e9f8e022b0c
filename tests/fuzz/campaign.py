"""A campaign: inputs by number through the doors, and what must hold after each round and at the end.

Here: rounds, the checks, finding the smallest input that breaks one, saving it. Not here: inputs and doors
(`doors`), the product (`product`).
"""

import asyncio
import gc
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path

import psutil

from dagster_project.process.build import run_build
from ingestion.processes.lean import give_back_memory
from ingestion.receivers.doors.http import PATHS, PROTOBUF
from tests.conftest import CAPTURE
from tests.fuzz.doors import Input, Seeds, make
from tests.fuzz.product import Product, opened
from tests.fuzz.sending import Sent, send
from tta_monitor.traffic.replay import read_capture

ROUND, AT_ONCE, CHAPTER = 500, 50, 50_000
# Of the process that holds receiver, window and drain together: above what it holds after the first round of
# a chapter, and from the second chapter (before it a build has loaded Dagster and dbt) to any later one.
MEMORY_BYTES = 600 * 1024 * 1024
_SEEDS, _SAVED = 60, 5
_FATES = ("accepted", "rejected", "dropped")


class Broken(Exception):
    """Something that must hold does not; the message says what, for which inputs and how to see it again."""


@dataclass
class Told:
    """Counters of a campaign: inputs and answers by door, items as the harness counts them by signal."""

    inputs: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    arrived: Counter[str] = field(default_factory=Counter)
    problems: dict[str, list[Input]] = field(default_factory=dict)
    began_bytes: list[int] = field(default_factory=list)
    peak_growth_bytes: int = 0

    def note_memory(self, now_bytes: int, *, is_first: bool) -> None:
        """Memory after a round; the first of a chapter begins anew."""
        if is_first:
            self.began_bytes.append(now_bytes)
        since = [self.began_bytes[-1], *self.began_bytes[1:2]]
        self.peak_growth_bytes = max(self.peak_growth_bytes, now_bytes - min(since))


@dataclass(frozen=True)
class Campaign:
    """`folder` takes homes and the inputs that break something; chapters begin with a fresh home."""

    seed: int
    folder: Path
    now_ns: int
    tell: Callable[[str], None] = print

    def run(self, numbers: range, chapter: int = CHAPTER) -> Told:
        """All inputs of these numbers; raises Broken, for what a door did at the end of a chapter."""
        told = Told()
        for start in range(numbers.start, numbers.stop, chapter):
            part = range(start, min(start + chapter, numbers.stop))
            asyncio.run(self._chapter(part, told, numbers.stop))
            if told.problems:
                found = [self._broken(problem, some) for problem, some in told.problems.items()]
                raise Broken("\n\n".join(map(str, found)))
        return told

    async def _chapter(self, numbers: range, told: Told, until: int) -> None:
        seeds = seeds_of(self.now_ns)
        with tempfile.TemporaryDirectory(dir=self.folder) as place:
            async with opened(Path(place) / "home") as product:
                arrived: Counter[str] = Counter()
                for start in range(numbers.start, numbers.stop, ROUND):
                    some = range(start, min(start + ROUND, numbers.stop))
                    inputs = [make(seeds, self.seed, number) for number in some]
                    arrived += await self._round(product, inputs, told)
                    told.note_memory(_rss(), is_first=start == numbers.start)
                    self._check_memory(told, some)
                    self.tell(f"{some.stop} of {until} inputs; begin again with --from {some.stop}")
                told.arrived += arrived
                if told.problems:
                    return  # what a door did not answer nobody has counted
                await self._end(product, arrived, numbers)

    async def _round(self, product: Product, inputs: Sequence[Input], told: Told) -> Counter[str]:
        arrived: Counter[str] = Counter()
        for start in range(0, len(inputs), AT_ONCE):
            some = inputs[start : start + AT_ONCE]
            for given, sent in zip(some, await _all(product, some), strict=True):
                if sent.problem:
                    told.problems.setdefault(f"{given.door}: {sent.problem}", []).append(given)
                    self.tell(f"{given.door} {given.number}: {sent.problem}")
                told.inputs[given.door] += 1
                told.answers[f"{given.door} {sent.status}"] += 1
                arrived.update(sent.arrived)
                arrived.update({f"told {signal}": items for signal, items in sent.told.items()})
        problem = _after_round(product)
        if problem:
            raise self._broken(problem, await self._smallest(inputs, _after_round))
        return arrived

    async def _end(self, product: Product, arrived: Counter[str], numbers: range) -> None:
        """Everything lands, the ledger adds up, a build ends well."""
        await product.committer.close()
        problem = await asyncio.to_thread(_after_drain, product, arrived)
        problem = problem or await asyncio.to_thread(_after_build, product)
        if problem:
            seeds = seeds_of(self.now_ns)
            inputs = [make(seeds, self.seed, number) for number in numbers]
            check = _after_build if problem.startswith("the build") else None
            raise self._broken(problem, await self._smallest(inputs, check))

    async def _smallest(
        self, inputs: Sequence[Input], check: Callable[[Product], str] | None
    ) -> Sequence[Input]:
        """A part of the inputs, halved while a half breaks the same; `check` None is the ledger's."""
        parts, tries = list(inputs), 0
        while len(parts) > 1 and tries < 40:
            half = len(parts) // 2
            for some in (parts[:half], parts[half:]):
                tries += 1
                if await self._breaks(some, check):
                    parts = list(some)
                    break
            else:
                return parts
        return parts

    async def _breaks(
        self, inputs: Sequence[Input], check: Callable[[Product], str] | None
    ) -> bool:
        with tempfile.TemporaryDirectory(dir=self.folder) as place:
            async with opened(Path(place) / "home") as product:
                arrived: Counter[str] = Counter()
                for start in range(0, len(inputs), AT_ONCE):
                    some = inputs[start : start + AT_ONCE]
                    for sent in await _all(product, some):
                        arrived.update(sent.arrived)
                        arrived.update({f"told {signal}": n for signal, n in sent.told.items()})
                if check is not None:
                    return bool(await asyncio.to_thread(check, product))
                await product.committer.close()
                return bool(await asyncio.to_thread(_after_drain, product, arrived))

    def _check_memory(self, told: Told, numbers: range) -> None:
        if told.peak_growth_bytes > MEMORY_BYTES:
            grown = told.peak_growth_bytes // 2**20
            raise Broken(
                f"memory grew by {grown} MiB up to input {numbers.stop} of seed {self.seed}"
            )

    def _broken(self, problem: str, inputs: Sequence[Input]) -> Broken:
        """Save the inputs and name them."""
        names = []
        for given in sorted(inputs, key=lambda one: len(one.body))[:_SAVED]:
            name = self.folder / f"broken-seed{self.seed}-input{given.number}-{given.door}"
            name.with_suffix(".bin").write_bytes(given.body)
            about = {k: v for k, v in asdict(given).items() if k != "body"}
            name.with_suffix(".json").write_text(json.dumps(about))
            names.append(f"{name}.bin")
        first = min(inputs, key=lambda one: len(one.body)).number
        return Broken(
            f"{problem}\nseed {self.seed}, {len(inputs)} input(s), the smallest is number {first}:\n"
            + "\n".join(names)
            + f"\nagain: python -m tests.fuzz 1 --seed {self.seed} --from {first} --now-ns {self.now_ns}"
        )


def seeds_of(now_ns: int) -> Seeds:
    """The capture's smallest bodies, by signal."""
    return Seeds(_captured(), now_ns)


@cache
def _captured() -> dict[str, list[bytes]]:
    captured: dict[str, list[bytes]] = {}
    for body in sorted(read_capture(CAPTURE), key=lambda found: len(found.body)):
        if body.content_type == PROTOBUF and not body.content_encoding:
            captured.setdefault(PATHS[body.path], []).append(body.body)
    return {signal: bodies[:_SEEDS] for signal, bodies in captured.items()}


async def _all(product: Product, some: Sequence[Input]) -> list[Sent]:
    return await asyncio.gather(*(send(product, given) for given in some))


def _after_round(product: Product) -> str:
    """What the live window says of what was committed; empty when all is well."""
    try:
        product.take_in()
        product.ask_everything()
    except Exception as error:  # noqa: BLE001 - that nothing is raised is what is tested
        return f"the live window: {type(error).__name__}: {error}"[:300]
    if product.follower.unreadable or product.window.refused:
        return f"the live window skipped {product.follower.unreadable} batches, refused {product.window.refused} rows"
    if not product.follower.is_caught_up():
        return "the live window stands still"
    return ""


def _after_drain(product: Product, arrived: Counter[str]) -> str:
    """Whether all has landed and the ledger adds up."""
    report = product.drain()
    if report.set_aside_batches:
        return f"{report.set_aside_batches} batches were set aside"
    return ledger_problem(product, arrived)


def ledger_problem(product: Product, arrived: Counter[str]) -> str:
    """Where arrivals and fates differ: by component, signal and hour, and from the harness' own count."""
    fates: dict[tuple[str, str, datetime], Counter[str]] = {}
    by_signal: Counter[str] = Counter()
    for (component, signal, hour, outcome, reason), items in product.ledger().items():
        fates.setdefault((component, signal, hour), Counter())[outcome] += items
        if outcome in _FATES:
            by_signal[signal] += items
        if outcome == "dropped" and not reason.startswith("sentry_"):
            by_signal[f"told {signal}"] += items
    landed = product.landed()
    for place in fates.keys() | landed.keys():
        of = fates.get(place, Counter())
        stored = of["accepted"] - of["duplicate"] - of["set_aside"]
        if of["arrived"] != sum(of[fate] for fate in _FATES) or stored != landed[place]:
            return f"the ledger does not add up at {place}: {dict(of)}, {landed[place]} in the lake"
    for signal in by_signal.keys() | arrived.keys():
        if by_signal[signal] != arrived[signal]:
            return f"{arrived[signal]} {signal} were sent, the ledger knows of {by_signal[signal]}"
    return ""


def _after_build(product: Product) -> str:
    report = run_build(product.settings)
    return "" if report.ok else f"the build: {report.checks_failed} {report.failed_steps}"


def _rss() -> int:
    gc.collect()
    give_back_memory()
    return psutil.Process().memory_info().rss


def new_now_ns() -> int:
    """This second."""
    return int(time.time()) * 1_000_000_000
