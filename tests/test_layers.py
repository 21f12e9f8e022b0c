"""Imports go one way, between packages and between rooms, and the check that says so can fail."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from tests.conftest import ROOT

_PACKAGES = ("privacy", "ingestion", "live_tail", "dagster_project", "streamlit_app", "tta_monitor")
_ROOMS = sorted(
    {
        file.parent.relative_to(ROOT)
        for package in _PACKAGES
        for file in (ROOT / package).rglob("*.py")
    }
)
_UPWARDS = {
    "privacy": "ingestion.spool",
    "ingestion": "live_tail.window.window",
    "live_tail": "dagster_project.marts.warehouse",
    "dagster_project": "live_tail.window.window",
    "streamlit_app": "tta_monitor.cli",
    "tta_monitor": "streamlit_app.app",
}
_MOST_MODULES = 15


def _checked(root: Path) -> subprocess.CompletedProcess[str]:
    lint = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [str(lint), "--no-logo", "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """The sources alone, in another place."""
    for package in _PACKAGES:
        shutil.copytree(
            ROOT / package,
            tmp_path / package,
            ignore=lambda _, names: [n for n in names if "." in n and not n.endswith(".py")],
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_packages_and_rooms_import_one_way() -> None:
    done = _checked(ROOT)
    assert done.returncode == 0, done.stdout


def test_a_circle_planted_in_each_room_is_found(house: Path) -> None:
    for room in _ROOMS:
        dotted = ".".join(room.parts)
        (house / room / "planted_a.py").write_text(f"import {dotted}.planted_b\n")
        (house / room / "planted_b.py").write_text(f"import {dotted}.planted_a\n")
    done = _checked(house)
    assert done.returncode == 1
    found = set(re.findall(r"No cycles are allowed in ([\w.]+)\.\n", done.stdout))
    assert found == {".".join(room.parts) for room in _ROOMS}


@pytest.mark.parametrize(
    ("planted", "contract"),
    [
        (_UPWARDS, "Packages import downwards"),
        ({"tta_monitor": "streamlit"}, "Only the app knows Streamlit"),
        ({"ingestion": "dagster"}, "Only the batch side knows Dagster and dbt"),
    ],
)
def test_an_import_the_wrong_way_is_found(
    house: Path, planted: dict[str, str], contract: str
) -> None:
    for package, target in planted.items():
        (house / package / "planted.py").write_text(f"import {target}\n")
    done = _checked(house)
    assert done.returncode == 1
    assert f"{contract} BROKEN" in done.stdout
    for package, target in planted.items():
        assert f"{package}.planted -> {target}" in done.stdout


def test_files_stay_short_rooms_small_and_modules_say_what_they_are() -> None:
    for room in _ROOMS:
        files = [file for file in (ROOT / room).glob("*.py") if file.name != "__init__.py"]
        assert len(files) <= _MOST_MODULES, room
        for file in files:
            text = file.read_text()
            assert len(text.splitlines()) < 400, file
            assert ast.get_docstring(ast.parse(text)), file


# Dagster, Streamlit and the command line load what lies in these rooms; training is run by hand.
_LOADED_BY_NAME = ("dagster_project.defs.", "dagster_project.reporting.kinds.", "streamlit_app.views.",
                   "tta_monitor.commands.", "privacy.detection.training.")  # fmt: skip


def test_no_module_lies_there_that_nothing_imports_or_starts() -> None:
    graph = grimp.build_graph(*_PACKAGES, cache_dir=None)
    unimported = {
        module
        for module in graph.modules
        if not graph.find_modules_that_directly_import(module) and not graph.find_children(module)
    }
    alone = {
        m for m in unimported if not m.startswith(_LOADED_BY_NAME) and not m.endswith("__main__")
    }
    files = [
        f for p in (*_PACKAGES, "dbt") for f in (ROOT / p).rglob("*") if f.suffix in _SAYS_NAMES
    ]
    said = "".join(f.read_text() for f in files if "target" not in f.parts)
    # A module that says how it is started does not count as somebody who starts it.
    started = {m for m in alone if said.count(m) > _own(m).count(m)}
    started |= {m for m in alone if _file(m) in said or f'"{Path(_file(m)).name}"' in said}
    assert alone - started == set()


_SAYS_NAMES = frozenset({".py", ".yml", ".yaml", ".conf", ".sh"})


def _file(module: str) -> str:
    return module.replace(".", "/") + ".py"


def _own(module: str) -> str:
    return (ROOT / _file(module)).read_text()
