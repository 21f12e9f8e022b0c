"""Imports go one way: privacy < ingestion < live_tail < dagster_project < streamlit_app < tta_monitor."""

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

_ALLOWED = {
    "privacy": set(),
    "ingestion": {"privacy"},
    "live_tail": {"privacy", "ingestion"},
    "dagster_project": {"privacy", "ingestion"},
    "streamlit_app": {"privacy", "ingestion", "live_tail", "dagster_project"},
    "tta_monitor": {"privacy", "ingestion", "live_tail", "dagster_project"},
}


def _imported(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("package", _ALLOWED)
def test_a_package_imports_only_what_lies_below_it(package: str) -> None:
    files = list((ROOT / package).rglob("*.py"))
    assert files
    for file in files:
        ours = _imported(file) & set(_ALLOWED) - {package}
        assert ours <= _ALLOWED[package], file.relative_to(ROOT)


def test_only_the_app_knows_streamlit_and_only_the_batch_side_knows_dagster() -> None:
    for package in _ALLOWED:
        for file in (ROOT / package).rglob("*.py"):
            names = _imported(file)
            assert "streamlit" not in names or package == "streamlit_app", file
            assert "dagster" not in names or package == "dagster_project", file


def test_files_stay_short_and_modules_say_what_they_are() -> None:
    for package in _ALLOWED:
        for file in (ROOT / package).rglob("*.py"):
            text = file.read_text()
            assert len(text.splitlines()) < 400, file
            assert ast.get_docstring(ast.parse(text)), file
