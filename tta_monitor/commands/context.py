"""What every command shares: the chosen data home, the consoles, tables.

Here: nothing that knows a particular command. Errors are `Problem`s; `cli.main` prints them.
"""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from ingestion.settings import Settings, load_settings

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


class Chosen:
    """The data home given on the command line, if any."""

    home: Path | None = None


def settings() -> Settings:
    """Settings of the chosen data home."""
    return load_settings(Chosen.home)


def print_table(columns: list[str], rows: list[list[object]]) -> None:
    """A plain table; what is not known is a dash."""
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*["—" if cell is None else str(cell) for cell in row])
    out.print(table)
