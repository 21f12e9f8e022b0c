"""What a process that mostly waits asks of a process that ends.

Here: asking one for JSON and answering as one. What checks settings takes 17 MB and keys take eight: whoever
needs a few words of them, once, has them read elsewhere. Not here: what is asked (beside whoever asks). The
answer goes through a pipe and is never on disk.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from privacy.process_log.log import guard

if TYPE_CHECKING:
    from ingestion.settings import Settings


class Wrong(Exception):
    """Settings or keys are wrong; the message says what to do."""


def ask(module: str, home: Path | None) -> dict[str, Any]:
    """What `python -m MODULE` answers for a home, or for TTA_MONITOR_HOME; raises Wrong."""
    chosen = [] if home is None else ["--home", str(home)]
    done = subprocess.run(
        [sys.executable, "-m", module, *chosen],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Wrong(done.stderr.strip() or f"{module} ended with {done.returncode}")
    return json.loads(done.stdout)


def answer(tell: Callable[["Settings"], dict[str, Any]]) -> int:
    """`main` of what is asked: prints what is told of the settings; 2 when they or the keys are wrong."""
    from ingestion.settings import SettingsProblem, load_settings  # noqa: PLC0415 - for this process alone
    from privacy.keys.store import KeyProblem  # noqa: PLC0415

    guard()
    parser = argparse.ArgumentParser(description="Answers a process of this home in JSON.")
    parser.add_argument("--home", type=Path, help="data home (default: TTA_MONITOR_HOME or ./var)")
    try:
        told = tell(load_settings(parser.parse_args().home))
    except (SettingsProblem, KeyProblem) as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    sys.stdout.write(json.dumps(told))
    return 0
