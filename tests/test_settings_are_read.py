"""Every setting is read by the product: one that nothing reads promises what it does not do."""

import ast
from collections.abc import Iterator
from functools import cache

import pytest
from pydantic import BaseModel

from ingestion.settings import Settings
from tests.conftest import ROOT

_PACKAGES = ("privacy", "ingestion", "live_tail", "dagster_project", "streamlit_app", "tta_monitor")


def _sections(model: type[BaseModel] = Settings, name: str = "") -> Iterator[tuple[str, str, str]]:
    """Section, class of the section and setting, for each."""
    for field, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _sections(kind, field)
        elif name:
            yield name, model.__name__, field


@cache
def _reads() -> frozenset[tuple[str, str]]:
    """What is read of what: `settings.live.port` gives (live, port), a name gives what it holds."""
    found: set[tuple[str, str]] = set()
    for package in _PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            tree = ast.parse(file.read_text())
            if file.is_relative_to(ROOT / "ingestion" / "settings"):
                # A setting that only its own checks look at changes nothing.
                tree = ast.Module([n for n in ast.walk(tree) if _is_property(n)], [])
            found |= set(_reads_of(tree))
    return frozenset(found)


def _is_property(node: ast.AST) -> bool:
    """Whether it hands out something that the product asks the settings for."""
    named = [ast.unparse(d) for d in getattr(node, "decorator_list", [])]
    return isinstance(node, ast.FunctionDef) and named == ["property"]


def _reads_of(tree: ast.AST) -> Iterator[tuple[str, str]]:
    held = dict(_holdings(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            owner = ast.unparse(node.value)
            for section in {owner.rpartition(".")[2], *held.get(owner, ())}:
                yield section, node.attr


def _holdings(tree: ast.AST) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Names and attributes that hold a section, by annotation or by assignment."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation is not None:
            kind = ast.unparse(node.annotation).strip("'\"")
            yield node.arg, (kind,)
            # A dataclass or an __init__ keeps what it is given.
            yield f"self._{node.arg}", (kind,)
        elif isinstance(node, ast.AnnAssign):
            yield ast.unparse(node.target), (ast.unparse(node.annotation),)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            yield from _assigned(node.targets[0], node.value)


def _assigned(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, tuple[str, ...]]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, its in zip(target.elts, value.elts, strict=False):
            yield from _assigned(one, its)
    elif isinstance(value, ast.Attribute):
        yield ast.unparse(target), (value.attr,)


@pytest.mark.parametrize(("section", "kind", "setting"), list(_sections()))
def test_every_setting_is_read_somewhere(section: str, kind: str, setting: str) -> None:
    assert {(section, setting), (kind, setting)} & _reads()


def test_what_nobody_reads_would_be_found() -> None:
    assert ("warehouse", "keep_everything") not in _reads()
    assert ("warehouse", "memory_limit") in set(
        _reads_of(ast.parse("w = s.warehouse\nw.memory_limit"))
    )
    assert ("LiveSettings", "port") in set(
        _reads_of(ast.parse("def f(live: LiveSettings):\n    return live.port"))
    )
