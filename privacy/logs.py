"""What a process may say about itself: constants, counts, ids of ours, types and places of errors.

Here: the one `guard` that every entry point calls first; it covers our structured logs, every other
library's logs, warnings, uncaught exceptions of every thread, and core dumps. Not here: where logs
go (supervision). An exception's message may quote what a sender sent, so only its type and the
frames of our own packages are ever written.
"""

import logging
import re
import resource
import sys
import threading
import traceback
import warnings
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

_OURS = ("privacy", "ingestion", "live_tail", "dagster_project", "streamlit_app", "tta_monitor")
_ROOT = Path(__file__).resolve().parent.parent
FIELDS = frozenset(
    """event level timestamp cause job up targets http_port grpc_port port items bodies
    failed_bodies seq channel title text rules mistakes canary_recall weakest_recall floor""".split()
)
"""What a log entry of ours may carry; anything else is left out."""

# The run log of Dagster: its own sentences and ours, kept as skeletons without what they quote.
_RUN_LOG = "dagster"
_RUN_EVENTS = ("dagster", "_core", "log_manager.py")
_QUOTED = re.compile(r"([\"'`])(?![\w./:-]{1,100}\1).*?\1", re.DOTALL)

# A notification is composed of rule texts and labels that have passed the gate.
_AS_IT_IS = frozenset({"timestamp", "level", "title", "text"})


class Logger:
    """Our own log: one line of `name=value` a call, on standard error.

    Fields that are not in `FIELDS` are left out, texts become skeletons, errors their types.
    """

    def info(self, event: str, **fields: Any) -> None:
        """Something happened that an operator may want to know."""
        _say("info", event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Something is not as it should be, and work goes on."""
        _say("warning", event, fields)

    def error(self, event: str, **fields: Any) -> None:
        """Something could not be done."""
        _say("error", event, fields)


def logger() -> Logger:
    """The log of a module of ours."""
    return Logger()


def _say(level: str, event: str, fields: dict[str, Any]) -> None:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    entry = scrubbed({"timestamp": now, "level": level, "event": event, **fields})
    sys.stderr.write(" ".join(f"{name}={value!r}" for name, value in entry.items()) + "\n")


def scrubbed(entry: dict[str, Any]) -> dict[str, Any]:
    """Unknown fields go; texts become skeletons."""
    from privacy.skeleton import skeletonise  # noqa: PLC0415 - most processes never log a text

    kept: dict[str, Any] = {}
    for name, value in entry.items():
        if name in FIELDS:
            is_plain = name in _AS_IT_IS or isinstance(value, int | float)
            kept[name] = value if is_plain else skeletonise(str(value))
    return kept


def guard() -> None:
    """Make this process unable to write foreign text; call it before anything else."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.setLogRecordFactory(_record)
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(
        args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
    )
    sys.unraisablehook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    warnings.showwarning = _warning


def place_of(error: BaseException) -> str:
    """The type of an error and the frames of our own packages: `KeyError at ingestion/spool.py:9`."""
    frames = [
        f"{Path(frame.filename).relative_to(_ROOT)}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if _is_ours(frame.filename)
    ]
    return f"{type(error).__name__} at {' < '.join(reversed(frames)) or 'a library'}"


def _uncaught(kind: type[BaseException], error: Any, _: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    told = place_of(error) if isinstance(error, BaseException) else kind.__name__
    sys.stderr.write(f"stopped by {told}\n")


def _warning(  # noqa: PLR0917 - the signature of warnings.showwarning
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """The category and the place; a warning's text may quote a value."""
    (file or sys.stderr).write(f"{category.__name__} at {Path(filename).name}:{lineno}\n")


def _record(*arguments: Any, **more: Any) -> logging.LogRecord:
    """A library's record without its text: who speaks, how loudly, from where, about which type."""
    record = logging.LogRecord(*arguments, **more)
    about = ""
    if record.exc_info and record.exc_info[1] is not None:
        about = f", {place_of(record.exc_info[1])}"
    told = _run_message(record) or f"{record.name} at {record.filename}:{record.lineno}"
    record.msg = f"{told}{about}"
    record.args, record.exc_info, record.exc_text, record.stack_info = (), None, None, None
    return record


def _run_message(record: logging.LogRecord) -> str:
    """What Dagster's own events and our assets tell; a library that tells it more may quote data."""
    place = Path(record.pathname)
    if record.name != _RUN_LOG or record.args:
        return ""
    if place.parts[-3:] != _RUN_EVENTS and not _is_ours(record.pathname):
        return ""
    from privacy.skeleton import skeletonise  # noqa: PLC0415 - most processes never log a text

    return skeletonise(_QUOTED.sub("<text>", str(record.msg)))


def _is_ours(filename: str) -> bool:
    return filename.startswith(tuple(f"{_ROOT}/{name}/" for name in _OURS))
