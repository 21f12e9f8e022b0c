"""What a process that mostly waits asks of a process that ends.

Here: asking one for JSON and answering as one. What checks settings takes 17 MB and keys take eight: whoever
needs a few words of them, once, has them read elsewhere. Not here: what is asked (beside whoever asks). The
answer goes through a pipe and is never on disk.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion.processes.entry import Wrong, run_process

if TYPE_CHECKING:
    from ingestion.settings import Settings


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
    return run_process(
        "its settings",
        "Answers a process of this home in JSON.",
        lambda settings, _: sys.stdout.write(json.dumps(tell(settings))),
    )
