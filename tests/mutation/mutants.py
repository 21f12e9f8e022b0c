"""Ways in which code can be wrong, by cosmic-ray's operators.

Here: every place of a file with what can be done to it, and the changed text. Left out is what proves
nothing: annotations, decorators, and comparisons that always raise or that no value tells apart.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

from tests.mutation.targets import ROOT

_LEFT_OUT = ("RemoveDecorator", "Variable", "NoOp", "ExceptionReplacer")
_OF_IDENTITY = ("Is", "IsNot")


@dataclass(frozen=True)
class Mutant:
    """One change: its file, the operator, and which of its places there."""

    file: Path
    operator: str
    occurrence: int
    line: int

    @property
    def module(self) -> str:
        """The module's dotted name."""
        inside = self.file.relative_to(ROOT).with_suffix("")
        return ".".join(part for part in inside.parts if part != "__init__")

    def source(self) -> str:
        """The changed text of the file."""
        changed = mutate_code(self.file.read_text(), get_operator(self.operator)(), self.occurrence)
        assert changed is not None, "a place that was found can be changed"
        return changed

    def told(self) -> str:
        """What is changed, in words that stay while lines move."""
        before, after = self.file.read_text().splitlines(), self.source().splitlines()
        pairs = zip(before, after, strict=False)
        old, new = next((a, b) for a, b in pairs if a != b)
        return f"{self.file.relative_to(ROOT)}: {old.strip()} -> {new.strip()}"


def sample(files: list[Path], count: int, chance: Random) -> list[Mutant]:
    """As many mutants as asked for, place by place: each place counts once, however much can be done."""
    places = [some for file in files for some in _places(file)]
    return [chance.choice(some) for some in chance.sample(places, min(count, len(places)))]


@cache
def _operators() -> dict[str, Any]:
    names = (n for n in operator_names() if not any(word in n for word in _LEFT_OUT))
    return {name: get_operator(name)() for name in names if _says_something(name)}


def _says_something(name: str) -> bool:
    """`is None` becomes `is not None` and nothing else; `==` never becomes `is`."""
    if "ReplaceComparisonOperator" not in name:
        return True
    _, before, after = name.split("_")
    return (before in _OF_IDENTITY) == (after in _OF_IDENTITY)


def _places(file: Path) -> list[list[Mutant]]:
    source = file.read_text()
    nodes, annotated = list(ast_nodes(get_ast(source))), set(_annotated(source))
    found: dict[tuple[int, int], list[Mutant]] = defaultdict(list)
    for name, operator in _operators().items():
        positions = (p for node in nodes for p in operator.mutation_positions(node))
        for occurrence, ((line, column), _) in enumerate(positions):
            if (line, column) not in annotated:
                found[line, column].append(Mutant(file, name, occurrence, line))
    return [found[place] for place in sorted(found)]


def _annotated(source: str) -> Iterator[tuple[int, int]]:
    """Every place in an annotation or a decorator."""
    for node in ast.walk(ast.parse(source)):
        parts = [getattr(node, name, None) for name in ("annotation", "returns")]
        for part in [*parts, *getattr(node, "decorator_list", [])]:
            if isinstance(part, ast.expr):
                for line in range(part.lineno, (part.end_lineno or part.lineno) + 1):
                    first = part.col_offset if line == part.lineno else 0
                    last = part.end_col_offset or 0 if line == part.end_lineno else 200
                    yield from ((line, column) for column in range(first, last))
