"""Files and functions are short: nine of ten, in the product and in the tests.

The hard limit of one file is in `test_layers`; this holds what is usual.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

_PRODUCT = ("privacy", "ingestion", "live_tail", "dagster_project", "streamlit_app", "tta_monitor")
_MOST_LINES_OF_A_FILE = 250
_MOST_LINES_OF_A_FUNCTION = 25


def _files(places: tuple[str, ...]) -> list[Path]:
    return [file for place in places for file in (ROOT / place).rglob("*.py")]


def _lines(file: Path) -> int:
    return len(file.read_text().splitlines())


def _functions(file: Path) -> Iterator[int]:
    """Lines of each function, from its `def` to its last line; decorators are not its length."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1


def _of_ten_the_ninth(lengths: list[int]) -> int:
    """The smallest length that nine of ten do not exceed."""
    return sorted(lengths)[-(-9 * len(lengths) // 10) - 1]


@pytest.mark.parametrize("places", [_PRODUCT, ("tests",)], ids=["product", "tests"])
def test_nine_of_ten_files_are_no_longer_than_250_lines(places: tuple[str, ...]) -> None:
    lengths = {file: _lines(file) for file in _files(places)}
    longer = {
        str(file.relative_to(ROOT)): n for file, n in lengths.items() if n > _MOST_LINES_OF_A_FILE
    }
    assert _of_ten_the_ninth(list(lengths.values())) <= _MOST_LINES_OF_A_FILE, longer


@pytest.mark.parametrize("places", [_PRODUCT, ("tests",)], ids=["product", "tests"])
def test_nine_of_ten_functions_are_no_longer_than_25_lines(places: tuple[str, ...]) -> None:
    lengths = [lines for file in _files(places) for lines in _functions(file)]
    assert _of_ten_the_ninth(lengths) <= _MOST_LINES_OF_A_FUNCTION


def test_the_ninth_of_ten_is_what_nine_of_ten_do_not_exceed() -> None:
    assert _of_ten_the_ninth([*range(1, 11)]) == 9
    assert _of_ten_the_ninth([7]) == 7
    assert _of_ten_the_ninth([1] * 9 + [400]) == 1
    assert _of_ten_the_ninth([1] * 8 + [400, 400]) == 400
