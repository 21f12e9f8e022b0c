"""What dbt says about itself, without what it quotes of the data.

Here: silencing its output, and telling which nodes failed by the kind of their error. Not here: running
it (`dbt_run`). A failing model's message quotes values; no file keeps one.
"""

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

_KIND = re.compile(r"\b([A-Z][A-Za-z]{2,30}) Error\b")
# What only warns holds up nobody: its check says so.
_GOOD = frozenset({"success", "pass", "warn", "skipped", "no-op"})


class Result(Protocol):
    """What dbt reports of a node."""

    node: "Node"
    status: str
    message: str | None


class Node(Protocol):
    """A node of dbt's graph."""

    unique_id: str


@contextlib.contextmanager
def without_words() -> Iterator[None]:
    """Run dbt inside; its words go nowhere."""
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield


def told(results: Iterable[Result]) -> list[str]:
    """One line per node that did not succeed."""
    lines = []
    for result in results:
        if str(result.status) not in _GOOD:
            kinds = list(dict.fromkeys(_KIND.findall(result.message or "")))
            about = f" ({', '.join(kinds)})" if kinds else ""
            lines.append(f"dbt {result.node.unique_id}: {result.status}{about}")
    return lines
