"""Group commit and turns: small requests share a commit, and large ones take turns with them.

Here: the bounded queue between the doors and the pipeline, and whose turn it is. A group that does not
finish within a turn is parted until the request that takes so long is alone; that one goes on a piece at
a time, and between two pieces whoever else came has a turn. Not here: what a commit does (`pipeline`,
`large_body`). Memory is bounded by `max_pending_bytes`; above it a sender is told to come back.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ingestion.receivers.committing.large_body import LargeBody
from ingestion.receivers.committing.pipeline import (
    Answer,
    Incoming,
    Pipeline,
    StorageUnavailable,
    TurnOver,
)
from privacy.process_log.log import logger

_GROUP_BYTES = 2 * 1024 * 1024
# The same items are two and a half times as long in JSON.
_LARGE_BYTES = {False: 512 * 1024, True: 1280 * 1024}
SMALL_BYTES = 256 * 1024
_FOR_LARGE = 7 / 8
_TURN_S = 0.06
# Bodies that are in work at once: their sealed parts lie in memory.
_AT_ONCE = 4
_NOTES_S = 1.0
_log = logger()
_Waiting = tuple[Incoming, asyncio.Future[Answer]]
_T = TypeVar("_T")


class Overloaded(Exception):
    """The queue is full; the sender should retry after `retry_after_s`."""

    retry_after_s = 1


class Committer:
    """Collects requests and commits them in groups, one group at a time."""

    def __init__(self, pipeline: Pipeline, *, group_ms: int, max_pending_bytes: int) -> None:
        self._pipeline = pipeline
        self._group_s = group_ms / 1_000
        self._wait_s = self._group_s
        self._oldest_s = 0.0
        self._max_pending = max_pending_bytes
        self._queue: list[_Waiting] = []
        self._parted: deque[list[_Waiting]] = deque()
        self._large: deque[_Waiting] = deque()
        self._in_work: deque[tuple[LargeBody, asyncio.Future[Answer]]] = deque()
        self._arrived = asyncio.Event()
        self._closing = False
        self._looked_at: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="commit")
        self._looker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="look")
        self._task: asyncio.Task[None] | None = None
        self.pending_bytes = 0
        self.storage_ok = True

    def start(self) -> None:
        """Begin committing on the running event loop."""
        self._task = asyncio.create_task(self._run(), name="committer")

    def hold(self, size: int, *, is_small: bool = False) -> None:
        """Count bytes of a body that is still arriving; raises Overloaded when there is no room.

        A part is left free for small bodies: a few large ones must not turn everybody away.
        """
        room = self._max_pending if is_small else self._max_pending * _FOR_LARGE
        if self._closing or (self.pending_bytes and self.pending_bytes + size > room):
            raise Overloaded
        self.pending_bytes += size

    def release(self, size: int) -> None:
        """Give back what `hold` counted."""
        self.pending_bytes -= size

    def note_refusal(
        self, signal: str, reason: str, component: str | None = None, fate: str = "rejected"
    ) -> None:
        """Count a body that a door refused; the ledger is told soon, whether or not others send."""
        has_notes = self._pipeline.has_notes
        self._pipeline.note_refusal(signal, reason, component, fate)
        if not has_notes:
            asyncio.get_running_loop().call_later(_NOTES_S, self._arrived.set)

    async def submit(self, request: Incoming) -> Answer:
        """Wait for the commit of this request; raises Overloaded or StorageUnavailable."""
        size = len(request.body)
        self.hold(size, is_small=size <= SMALL_BYTES)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if size > _LARGE_BYTES[request.is_json]:
            self._large.append((request, future))
        else:
            if not self._queue:
                self._oldest_s = time.monotonic()
            self._queue.append((request, future))
        self._arrived.set()
        try:
            return await future
        finally:
            self.release(size)

    async def close(self) -> None:
        """Commit what is queued, refuse what comes, then stop."""
        self._closing = True
        self._arrived.set()
        if self._task is not None:
            await self._task
        self._thread.shutdown()
        self._looker.shutdown()

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._has_work:
                await self._turn()
            if self._pipeline.has_notes:
                await self._commit([])
            if self._closing:
                return

    @property
    def _has_work(self) -> bool:
        return bool(
            self._queue or self._parted or self._large or self._looked_at or self._in_work
        )  # fmt: skip

    async def _turn(self) -> None:
        """One group of what is small, one part of a group that took too long, one piece of a large body."""
        if self._queue:
            if not (self._parted or self._large or self._looked_at or self._in_work):
                # Without this wait the requests that trickle in during a commit would form ever
                # smaller groups, and the fixed cost of a group would eat the processor.
                await self._gather()
            group = self._take_group()
            # A lone sender that waits for each answer gains nothing from waiting.
            self._wait_s = self._group_s if len(group) > 1 else self._group_s / 10
            await self._commit(group)
        if self._parted:
            await self._commit(self._parted.popleft())
        if self._large and self._looked_at is None and len(self._in_work) < _AT_ONCE:
            self._looked_at = asyncio.create_task(self._look(*self._large.popleft()))
        if self._in_work:
            await self._step(*self._in_work.popleft())
        elif self._looked_at is not None and not (self._queue or self._parted):
            await self._arrived.wait()
            self._arrived.clear()

    async def _look(self, request: Incoming, future: asyncio.Future[Answer]) -> None:
        """Beside the commits, because it is one long step."""
        body = LargeBody(self._pipeline, request)
        try:
            await asyncio.get_running_loop().run_in_executor(self._looker, body.look)
        finally:
            self._looked_at = None
            self._in_work.append((body, future))
            self._arrived.set()

    async def _gather(self) -> None:
        """Wait for more requests: until none came for a fifth of the time, at most all of it."""
        waiting = 0
        while len(self._queue) > waiting and not self._closing:
            waiting = len(self._queue)
            due_s = self._oldest_s + self._wait_s - time.monotonic()
            if due_s <= 0:
                return
            await asyncio.sleep(min(due_s, self._wait_s / 5))

    def _take_group(self) -> list[_Waiting]:
        taken, size = 0, 0
        for request, _ in self._queue:
            if taken and size + len(request.body) > _GROUP_BYTES:
                break
            taken, size = taken + 1, size + len(request.body)
        group, self._queue = self._queue[:taken], self._queue[taken:]
        self._oldest_s = time.monotonic()
        return group

    async def _commit(self, group: list[_Waiting]) -> None:
        requests = [request for request, _ in group]
        futures = [future for _, future in group]
        try:
            answers = await self._in_thread(
                lambda: self._pipeline.process(requests, _TURN_S), futures
            )
        except TurnOver:
            self._part(group)
            return
        for future, answer in zip(futures, answers or (), strict=False):
            _answer(future, answer)

    def _part(self, group: list[_Waiting]) -> None:
        """Halves by size, or a large body when there is one left; its texts so far are remembered."""
        if len(group) == 1:
            self._large.append(group[0])
            return
        by_size = sorted(group, key=lambda waiting: len(waiting[0].body))
        half = len(by_size) // 2
        self._parted += [by_size[:half], by_size[half:]]

    async def _step(self, body: LargeBody, future: asyncio.Future[Answer]) -> None:
        if future.cancelled():
            return  # nobody waits for the answer, and nothing was committed
        answers = await self._in_thread(lambda: [body.step()], [future])
        if answers == [None]:
            self._in_work.append((body, future))
        elif answers and answers[0] is not None:
            _answer(future, answers[0])

    async def _in_thread(
        self, work: Callable[[], _T], futures: list[asyncio.Future[Answer]]
    ) -> _T | None:
        """The result, or None when those who wait were told that there is none."""
        try:
            done = await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except TurnOver:
            raise
        except StorageUnavailable as error:
            self.storage_ok = False
            _log.error("commit failed, senders are asked to retry", cause=str(error))
            self._fail(futures, error)
        except Exception as error:  # noqa: BLE001 - one bad group must not stop the door
            # Only the type: an exception's text may quote what a sender sent.
            _log.error("group could not be processed", cause=type(error).__name__)
            self._fail(futures, StorageUnavailable(type(error).__name__))
        else:
            self.storage_ok = True
            return done
        return None

    @staticmethod
    def _fail(futures: list[asyncio.Future[Answer]], error: StorageUnavailable) -> None:
        for future in futures:
            if not future.done():
                future.set_exception(error)


def _answer(future: asyncio.Future[Answer], answer: Answer) -> None:
    if not future.done():
        future.set_result(answer)
