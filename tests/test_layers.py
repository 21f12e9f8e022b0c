"""Imports go one way, between packages and between rooms, and the check that says so can fail."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

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
