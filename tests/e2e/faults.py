"""Runs a process of the product with one function that fails over a private text.

`python -m tests.e2e.faults TARGET FILE MODULE …`: TARGET (`package.module:name`) raises with the lines of
FILE in its message, its arguments and its locals; then MODULE runs as it always does.
"""

import importlib
import runpy
import sys
from pathlib import Path
from typing import Any, NoReturn


class Unlucky:
    """An object whose repr and str are private, as a model's or a row's would be."""

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def __repr__(self) -> str:
        return " ".join(self.texts)


def main() -> None:
    """Plant the failure, then become the process."""
    target, texts, module = sys.argv[1], Path(sys.argv[2]).read_text().splitlines(), sys.argv[3]

    def failing(*args: Any, **kwargs: Any) -> NoReturn:
        held = {"player": Unlucky(texts), "args": (args, kwargs)}
        try:
            raise KeyError(held["player"])
        except KeyError as error:
            raise RuntimeError(*texts) from error

    place, _, name = target.partition(":")
    owner: Any = importlib.import_module(place)
    *above, last = name.split(".")
    for part in above:
        owner = getattr(owner, part)
    setattr(owner, last, failing)
    sys.argv = [module, *sys.argv[4:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
