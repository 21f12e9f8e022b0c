"""What a process may say about itself, once for each time that it is new.

Here: the one `guard` that every entry point calls first; it covers our structured logs, every other
library's logs, warnings, uncaught exceptions of every thread, and core dumps. Not here: which words
of a message stay (`words`), how repeats are counted (`repeated_messages`), where logs go (supervision).
"""

import atexit
import copy
import logging
import re
import resource
import sys
import threading
import time
import traceback
import warnings
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO
from weakref import WeakSet

from privacy.process_log.repeated_messages import Repeats

_OURS = ("privacy", "ingestion", "live_tail", "dagster_project", "streamlit_app", "tta_monitor")
_ROOT = Path(__file__).resolve().parents[2]
FIELDS = frozenset(
    """event level timestamp cause job up targets http_port grpc_port port items bodies
    failed_bodies seq table channel title text rules mistakes canary_recall weakest_recall floor""".split()
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
    entry = scrubbed({"level": level, "event": event, **fields})
    line = " ".join(f"{name}={value!r}" for name, value in entry.items())
    if _our_repeats.is_new(line, line):
        _write_line(line, "")


def _write_line(line: str, more: str) -> None:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    sys.stderr.write(f"timestamp={now!r} {line} {more}".rstrip() + "\n")


_our_repeats: Repeats[str] = Repeats(_write_line)


def scrubbed(entry: dict[str, Any]) -> dict[str, Any]:
    """Unknown fields go; texts become skeletons in which measurements stay."""
    from privacy.process_log.sentences import own_sentence  # noqa: PLC0415 - most processes log no text

    kept: dict[str, Any] = {}
    for name, value in entry.items():
        if name in FIELDS:
            is_plain = name in _AS_IT_IS or isinstance(value, int | float)
            kept[name] = value if is_plain else own_sentence(str(value))
    return kept


def guard() -> None:
    """Make this process unable to write foreign text; call it before anything else."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.setLogRecordFactory(_record)
    logging.StreamHandler.emit = _emit
    atexit.register(_flush)
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


def told(error: BaseException) -> str:
    """What happened, in words that may be shown anywhere: type, gated message, place."""
    from privacy.process_log.words import error_words  # noqa: PLC0415 - most processes meet no error

    _, _, place = place_of(error).partition(" at ")
    return f"{error_words(error)} at {place}"


def _uncaught(kind: type[BaseException], error: Any, _: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    what = told(error) if isinstance(error, BaseException) else kind.__name__
    sys.stderr.write(f"stopped by {what}\n")


def _warning(  # noqa: PLR0917 - the signature of warnings.showwarning
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Category, words of programs and place; the rest of a warning's text may quote a value."""
    from privacy.process_log.words import strictly_gated  # noqa: PLC0415

    words = strictly_gated(str(message))
    told = f"{category.__name__}: {words} at {Path(filename).name}:{lineno}"
    (file or sys.stderr).write(told + "\n")


def _record(*arguments: Any, **more: Any) -> logging.LogRecord:
    """A library's record with its constants alone: what varies in it has passed the gate."""
    record = logging.LogRecord(*arguments, **more)
    about = ""
    if record.exc_info and record.exc_info[1] is not None:
        about = f", {told(record.exc_info[1])}"
    message = _message(record) or f"{record.name} at {record.filename}:{record.lineno}"
    record.msg = f"{message}{about}"
    record.args, record.exc_info, record.exc_text, record.stack_info = (), None, None, None
    return record


def _message(record: logging.LogRecord) -> str:
    """What a record says; Dagster's own events and our assets name steps and tables in quotes."""
    place = Path(record.pathname)
    is_run_event = place.parts[-3:] == _RUN_EVENTS or _is_ours(record.pathname)
    if record.name == _RUN_LOG and is_run_event and not record.args:
        from privacy.process_log.sentences import own_sentence  # noqa: PLC0415

        return own_sentence(_QUOTED.sub("<text>", str(record.msg)))
    from privacy.process_log.words import message_of  # noqa: PLC0415

    return message_of(record.msg, record.args)


_write_record = logging.StreamHandler.emit


def _emit(handler: Any, record: logging.LogRecord) -> None:
    """A handler's `emit` that writes a message once and then its number."""
    repeats = handler.__dict__.get("repeats")
    if repeats is None:
        repeats = handler.repeats = Repeats[logging.LogRecord](
            lambda one, more: _tell_again(handler, one, more)
        )
        _handlers.add(handler)
    key = f"{record.name} {record.levelno} {_NUMBER.sub('#', str(record.msg))}"
    if repeats.is_new(key, record):
        _write_record(handler, record)


def _tell_again(handler: Any, record: logging.LogRecord, more: str) -> None:
    if getattr(
        handler.stream, "closed", False
    ):  # at the end of a process: nobody reads it any more
        return
    again = copy.copy(record)
    again.msg, again.created = f"{record.msg} {more}", time.time()
    _write_record(handler, again)


def _flush() -> None:
    _our_repeats.flush()
    for handler in list(_handlers):
        handler.repeats.flush()


_handlers: WeakSet[Any] = WeakSet()
_NUMBER = re.compile(r"\d+")


def _is_ours(filename: str) -> bool:
    return filename.startswith(tuple(f"{_ROOT}/{name}/" for name in _OURS))
