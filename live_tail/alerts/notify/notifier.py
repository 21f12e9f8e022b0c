"""Delivers the outbox: `python -m live_tail.alerts.notify.notifier [--home DIR]`, a process of its own.

Here: one thread per channel, retries with back-off, settling what a kill interrupted. Not here:
what is told (`manager`) and how (`channels`). It shares nothing with the live tail but `state.db`,
so neither's death or load disturbs the other, and a channel that hangs delays no other.

At least once, and not twice within the repeat interval: see `journal`. What remains: a service
behind Apprise can get a message twice when this very process dies while it speaks to it.
"""

from ingestion.processes.lean import without_rarely_used

if __name__ == "__main__":
    without_rarely_used()

import argparse
import random
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ingestion.processes.entry import on_stop, run_process
from live_tail.alerts.life.alert_tables import Tables
from live_tail.alerts.life.outbox import DELIVERED, SUPERSEDED, UNCONFIRMED, WAITING, Entry, Outbox
from live_tail.alerts.notify.channels import SendProblem, is_made_for, send
from live_tail.alerts.notify.journal import Journal
from live_tail.alerts.notify.ways import WatchedWays, Ways
from privacy.disk.locks import hold
from privacy.keys.key_store import KeyStore
from privacy.process_log.log import logger

_log = logger()
_POLL_S = 0.1
_LOOK_S = 5.0
_FIRST_S, _LONGEST_S = 1.0, 300.0
_IDLE_S = 60.0


class Notifier:
    """All channels of a home; `run` until `stop`."""

    def __init__(self, home: Path, keys: KeyStore, ways: Callable[[], Ways]) -> None:
        self._home, self._keys, self._ways = home, keys, ways
        self._stopping = threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        self._news: dict[str, threading.Event] = {}
        # A second notifier would send everything twice: it waits until the first is gone.
        self._lock = hold(home / "notifier.lock")
        self._journal = Journal(home / "run" / "deliveries.journal")
        self._tables = Tables(home, keys)
        self._outbox = Outbox(self._tables)
        self._settle()

    def _settle(self) -> None:
        """What was being handed over when the last process died waits for its repeat interval."""
        for key in self._journal.left_over():
            self._outbox.defer(key)
        self._journal.clear()

    def stop(self) -> None:
        """Ask every thread to end after its attempt."""
        self._stopping.set()

    def run(self) -> None:
        """Start a thread for each channel that has something to send, until stopped.

        The outbox is read when somebody has written to `state.db`, and every five seconds.
        """
        seen, read_s = -1, 0.0
        while not self._stopping.is_set():
            version = self._tables.version()
            if version != seen or time.monotonic() - read_s > _LOOK_S:
                seen, read_s = version, time.monotonic()
                for name in self._outbox.waiting_channels():
                    self._wake(name)
            self._stopping.wait(_POLL_S)
        for wakened in self._news.values():
            wakened.set()
        for thread in self._threads.values():
            thread.join(timeout=5)
        self._tables.close()

    def _wake(self, channel: str) -> None:
        self._news.setdefault(channel, threading.Event()).set()
        thread = self._threads.get(channel)
        if thread is None or not thread.is_alive():
            thread = threading.Thread(target=self._serve, args=(channel,), daemon=True)
            self._threads[channel] = thread
            thread.start()

    def _serve(self, channel: str) -> None:
        """Send what is due on one channel until there is nothing left for a while."""
        tables, news = Tables(self._home, self._keys), self._news[channel]
        outbox = Outbox(tables)
        idle_since_s = time.monotonic()
        try:
            while not self._stopping.is_set() and time.monotonic() - idle_since_s < _IDLE_S:
                news.clear()
                entry = outbox.due(channel, time.time_ns() // 1_000)
                if entry is None:
                    news.wait(self._pause_s(outbox, channel))
                    continue
                self._deliver(outbox, entry)
                idle_since_s = time.monotonic()
        except Exception as error:  # noqa: BLE001 - the thread is started again by `run`
            _log.error("a channel's thread ended", channel=channel, cause=type(error).__name__)
            self._stopping.wait(1)
        finally:
            tables.close()

    def _pause_s(self, outbox: Outbox, channel: str) -> float:
        """Until the next message is due, or as long as a thread waits for something to do."""
        due_us = outbox.next_due_us(channel)
        return _IDLE_S if due_us is None else min(max(due_us / 1e6 - time.time(), 0.0), _IDLE_S)

    def _deliver(self, outbox: Outbox, entry: Entry) -> None:
        if entry.state == UNCONFIRMED and outbox.is_replaced(entry):
            outbox.mark(entry.key, SUPERSEDED)
            return
        way = self._ways().get(entry.channel)
        if way is None:
            outbox.mark(entry.key, SUPERSEDED, error="the channel was removed")
            return
        if not is_made_for(way, entry.payload):
            outbox.mark(entry.key, SUPERSEDED, error="the channel's type was changed")
            return
        try:
            send(
                way, entry.key, entry.payload, self._home,
                lambda: self._journal.begin(entry.key),
            )  # fmt: skip
        except SendProblem as problem:
            wait_s = min(_FIRST_S * 2**entry.attempts, _LONGEST_S) * random.uniform(0.8, 1.2)  # noqa: S311
            due_us = int((time.time() + wait_s) * 1e6)
            outbox.mark(entry.key, WAITING, due_us=due_us, error=str(problem))
            _log.warning("a notification failed", channel=entry.channel, cause=str(problem))
        else:
            outbox.mark(entry.key, DELIVERED)
        self._journal.end(entry.key)


def main() -> int:
    """Run until SIGTERM; exit code 2 when settings or keys are wrong."""
    return run_process("notifier", __doc__, _work, read=WatchedWays)


def _work(ways: WatchedWays, _: argparse.Namespace) -> None:
    notifier = Notifier(ways.home, KeyStore.open(ways.home), ways)
    on_stop(notifier.stop)
    _log.info("notifier starts")
    notifier.run()


if __name__ == "__main__":
    sys.exit(main())
