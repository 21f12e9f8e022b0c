"""How a process of a home begins and ends: guarded, supervised, its settings read, its problems told.

Here: what the `main`s of the processes share. Not here: what a process does, and the command line for
people (`tta_monitor/cli`).
"""

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from ingestion.processes.supervised import end_with_supervisor
from ingestion.settings import Settings, SettingsProblem, load_settings
from privacy.disk.databases import DatabaseProblem
from privacy.keys.sealing import KeyProblem
from privacy.process_log.log import guard

_WRONG = 2
"""The exit code of a process that cannot begin before somebody has mended something."""


def run_process(
    name: str,
    about: str | None,
    work: Callable[[Settings, argparse.Namespace], None],
    *,
    problems: tuple[type[Exception], ...] = (),
    arguments: Callable[[argparse.ArgumentParser], object] = lambda _: None,
) -> int:
    """Do the work of a process until it ends; its exit code.

    `--home DIR` chooses the home; `arguments` adds others. Settings, keys and databases that are wrong,
    and whatever else is among `problems`, end it with one sentence and code 2; all others are raised.
    """
    guard()
    end_with_supervisor()
    parser = argparse.ArgumentParser(prog=name, description=about)
    parser.add_argument("--home", type=Path, help="data home (default: TTA_MONITOR_HOME or ./var)")
    arguments(parser)
    given = parser.parse_args()
    try:
        work(load_settings(given.home), given)
    except (SettingsProblem, KeyProblem, DatabaseProblem, *problems) as problem:
        sys.stderr.write(f"{name}: {problem}\n")
        return _WRONG
    return 0


def on_stop(stop: Callable[[], object]) -> None:
    """Call `stop` when the process is asked to end: SIGTERM, or Ctrl-C."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())
