"""Group commit: requests that arrive together share one decode, one gate, one transaction.

Here: the bounded queue between the doors and the pipeline. Not here: what a commit does
(`pipeline`). Memory is bounded by `max_pending_bytes`; above it a sender is told to come back.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from ingestion.receivers.pipeline import Answer, Incoming, Pipeline, StorageUnavailable
from privacy.logs import logger

_GROUP_BYTES = 16 * 1024 * 1024
_log = logger()


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
        self._queue: list[tuple[Incoming, asyncio.Future[Answer]]] = []
        self._arrived = asyncio.Event()
        self._closing = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="commit")
        self._task: asyncio.Task[None] | None = None
        self.pending_bytes = 0
        self.storage_ok = True

    def start(self) -> None:
        """Begin committing on the running event loop."""
        self._task = asyncio.create_task(self._run(), name="committer")

    def hold(self, size: int) -> None:
        """Count bytes of a body that is still arriving; raises Overloaded when there is no room."""
        if self._closing or (self.pending_bytes and self.pending_bytes + size > self._max_pending):
            raise Overloaded
        self.pending_bytes += size

    def release(self, size: int) -> None:
        """Give back what `hold` counted."""
        self.pending_bytes -= size

    async def submit(self, request: Incoming) -> Answer:
        """Wait for the commit of this request; raises Overloaded or StorageUnavailable."""
        size = len(request.body)
        self.hold(size)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
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

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._queue:
                # Without this wait the requests that trickle in during a commit would form ever
                # smaller groups, and the fixed cost of a group would eat the processor.
                await self._gather()
                group = self._take_group()
                # A lone sender that waits for each answer gains nothing from waiting.
                self._wait_s = self._group_s if len(group) > 1 else self._group_s / 10
                await self._commit(group)
            if self._closing:
                return

    async def _gather(self) -> None:
        """Wait for more requests: until none came for a fifth of the time, at most all of it."""
        waiting = 0
        while len(self._queue) > waiting and not self._closing:
            waiting = len(self._queue)
            due_s = self._oldest_s + self._wait_s - time.monotonic()
            if due_s <= 0:
                return
            await asyncio.sleep(min(due_s, self._wait_s / 5))

    def _take_group(self) -> list[tuple[Incoming, asyncio.Future[Answer]]]:
        taken, size = 0, 0
        for request, _ in self._queue:
            if taken and size + len(request.body) > _GROUP_BYTES:
                break
            taken, size = taken + 1, size + len(request.body)
        group, self._queue = self._queue[:taken], self._queue[taken:]
        self._oldest_s = time.monotonic()
        return group

    async def _commit(self, group: list[tuple[Incoming, asyncio.Future[Answer]]]) -> None:
        loop = asyncio.get_running_loop()
        try:
            answers = await loop.run_in_executor(
                self._thread, self._pipeline.process, [request for request, _ in group]
            )
        except StorageUnavailable as error:
            self.storage_ok = False
            _log.error("commit failed, senders are asked to retry", cause=str(error))
            self._fail(group, error)
        except Exception as error:  # noqa: BLE001 - one bad group must not stop the door
            # Only the type: an exception's text may quote what a sender sent.
            _log.error("group could not be processed", cause=type(error).__name__)
            self._fail(group, StorageUnavailable(type(error).__name__))
        else:
            self.storage_ok = True
            for (_, future), answer in zip(group, answers, strict=True):
                if not future.done():
                    future.set_result(answer)

    @staticmethod
    def _fail(
        group: list[tuple[Incoming, asyncio.Future[Answer]]], error: StorageUnavailable
    ) -> None:
        for _, future in group:
            if not future.done():
                future.set_exception(error)
