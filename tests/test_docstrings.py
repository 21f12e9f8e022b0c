"""Public names say what they are, and those that raise say what."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

_PACKAGES = ("privacy", "ingestion", "live_tail", "dagster_project", "streamlit_app", "tta_monitor")
_FILES = sorted(f for package in _PACKAGES for f in (ROOT / package).rglob("*.py"))
_Function = ast.FunctionDef | ast.AsyncFunctionDef
# What says that a caller made a mistake, or is part of Python's own protocols.
_OF_PYTHON = {"AssertionError", "NotImplementedError", "StopIteration", "AttributeError"}
# Their docstring is what people read on a terminal or on Dagster's page, not what a caller needs.
_READ_BY_PEOPLE = (".command(", "dg.", "asset", "_check(")


def _public(node: ast.AST) -> Iterator[_Function | ast.ClassDef]:
    for child in ast.iter_child_nodes(node):
        named = isinstance(child, _Function | ast.ClassDef)
        if named and not child.name.startswith("_"):
            yield child
        if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield from _public(child)


def _own(nodes: Iterator[ast.AST] | list) -> Iterator[ast.AST]:
    """Nodes of a body, without those of functions and classes in it."""
    for node in nodes:
        if not isinstance(node, _Function | ast.ClassDef | ast.Lambda):
            yield node
            yield from _own(ast.iter_child_nodes(node))


def _raised(function: _Function) -> set[str]:
    """Names of what its own body raises."""
    given = (n.exc for n in _own(function.body) if isinstance(n, ast.Raise) and n.exc)
    named = (ast.unparse(e.func if isinstance(e, ast.Call) else e) for e in given)
    names = {name.rpartition(".")[2] for name in named}
    return {name for name in names if name[0].isupper()} - _OF_PYTHON


def _unsaid(tree: ast.AST) -> list[str]:
    """What is raised, and not said, by function."""
    return [
        f"{function.name} raises {name}"
        for function in _public(tree)
        if isinstance(function, _Function)
        and not any(w in ast.unparse(d) for d in function.decorator_list for w in _READ_BY_PEOPLE)
        for name in sorted(_raised(function))
        if name not in (ast.get_docstring(function) or "")
    ]


@pytest.mark.parametrize("file", _FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_whoever_raises_says_what(file: Path) -> None:
    assert _unsaid(ast.parse(file.read_text())) == []


@pytest.mark.parametrize("file", _FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_public_name_says_what_it_is(file: Path) -> None:
    tree = ast.parse(file.read_text())
    assert ast.get_docstring(tree) or not tree.body
    unsaid = [n.name for n in _public(tree) if not ast.get_docstring(n) and not _is_overload(n)]
    assert unsaid == []


def _is_overload(node: ast.AST) -> bool:
    return "overload" in map(ast.unparse, getattr(node, "decorator_list", []))


def test_a_raise_that_nobody_is_told_of_would_be_found() -> None:
    body = "    def inner():\n        raise KeyError\n    raise errors.Bad('x') from None\n"
    assert _unsaid(ast.parse(f'def f():\n    """Does it."""\n{body}')) == ["f raises Bad"]
    assert _unsaid(ast.parse(f'def f():\n    """Does it; raises Bad."""\n{body}')) == []
    assert _unsaid(ast.parse(f"@app.command('x')\ndef f():\n{body}")) == []
