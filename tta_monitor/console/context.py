"""What every command shares: the chosen data home, printing, tables.

Here: nothing that knows a particular command, and nothing that takes long to import: a command
imports what it uses when it runs. Errors are `Problem`s; `cli.main` prints them.
"""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingestion.settings import Settings

_COLOURS = {"red": 31, "green": 32, "yellow": 33}


class Console:
    """Standard output or standard error, found anew for every line."""

    def __init__(self, *, is_error: bool = False) -> None:
        self._is_error = is_error

    def print(self, text: object = "", *, mark: str = "", colour: str = "") -> None:
        """One line as it is, after a mark that a terminal shows in colour."""
        stream = sys.stderr if self._is_error else sys.stdout
        if mark:
            text = f"{_coloured(mark, colour) if _has_colours(stream) else mark} {text}"
        print(text, file=stream, flush=True)


out = Console()
err = Console(is_error=True)


class Chosen:
    """The data home given on the command line, if any."""

    home: Path | None = None


def settings() -> "Settings":
    """Settings of the chosen data home."""
    from ingestion.settings import load_settings

    return load_settings(Chosen.home)


def settings_or_defaults() -> "tuple[Settings, bool]":
    """Settings of the chosen data home, or the defaults where they are wrong; and whether they are right."""
    from ingestion.settings import SettingsProblem, load_settings, shipped_settings

    try:
        return load_settings(Chosen.home), True
    except SettingsProblem:
        return shipped_settings(Chosen.home), False


def print_table(columns: list[str], rows: list[list[object]]) -> None:
    """A plain table; what is not known is a dash, times are to the second."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for line in (columns, *cells):
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        out.print("  ".join(padded).rstrip())


def to_the_second(text: str) -> str:
    """A time in ISO 8601 (UTC) as people read it: `2026-03-01T12:00:05Z`."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return "—" if value is None else str(value)


def _has_colours(stream: object) -> bool:
    is_terminal = getattr(stream, "isatty", lambda: False)()
    return is_terminal and "NO_COLOR" not in os.environ


def _coloured(text: str, colour: str) -> str:
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"
