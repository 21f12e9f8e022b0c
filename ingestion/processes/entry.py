"""How a process of a home begins and ends: guarded, supervised, its settings read, its problems told.

Here: what the `main`s of the processes share. Not here: what a process does, and the command line for
people (`tta_monitor/cli`).
"""

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion.processes.supervised import end_with_supervisor
from privacy.process_log.log import guard

if TYPE_CHECKING:
    from ingestion.settings import Settings

_WRONG = 2
"""The exit code of a process that cannot begin before somebody has mended something."""


class Wrong(Exception):
    """What a process reads in place of the settings is wrong; the message says what to do."""


def read_settings(home: Path | None) -> "Settings":
    """The settings of a home; raises SettingsProblem. What checks them takes 17 MB."""
    from ingestion.settings import load_settings  # noqa: PLC0415

    return load_settings(home)


def run_process(
    name: str,
    about: str | None,
    work: Callable[[Any, argparse.Namespace], object],
    *,
    read: Callable[[Path | None], Any] = read_settings,
    problems: tuple[type[Exception], ...] = (),
    arguments: Callable[[argparse.ArgumentParser], object] = lambda _: None,
) -> int:
    """Do the work of a process until it ends; its exit code.

    `--home DIR` chooses the home; `arguments` adds others. `read` gives what the work is done with: the
    settings (`read_settings`), or the little of them that a process which waits needs. Settings, keys and
    databases that are wrong, and whatever else is among `problems`, end it with one sentence and code 2;
    all others are raised.
    """
    guard()
    end_with_supervisor()
    parser = argparse.ArgumentParser(prog=name, description=about)
    parser.add_argument("--home", type=Path, help="data home (default: TTA_MONITOR_HOME or ./var)")
    arguments(parser)
    given = parser.parse_args()
    try:
        work(read(given.home), given)
    except Exception as problem:
        if not isinstance(problem, (*_told_in_a_sentence(), *problems)):
            raise
        sys.stderr.write(f"{name}: {problem}\n")
        return _WRONG
    return 0


def _told_in_a_sentence() -> tuple[type[Exception], ...]:
    """Loaded when there is a problem: a process that waits has neither settings nor keys in memory."""
    from ingestion.settings.sources import SettingsProblem  # noqa: PLC0415
    from privacy.disk.sqlite_databases import DatabaseProblem  # noqa: PLC0415
    from privacy.keys.sealing import KeyProblem  # noqa: PLC0415

    return Wrong, SettingsProblem, KeyProblem, DatabaseProblem


def on_stop(stop: Callable[[], object]) -> None:
    """Call `stop` when the process is asked to end: SIGTERM, or Ctrl-C."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())
