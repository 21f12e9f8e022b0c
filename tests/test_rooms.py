"""The rooms that the documents describe are those of the house."""

import re

from tests.conftest import ROOT
from tests.documents import everything, quoted, rows, section, text

_PACKAGES = ("privacy", "ingestion", "live_tail", "dagster_project", "streamlit_app", "tta_monitor")
_NO_MODULES = {"__init__.py", "__main__.py"}


def test_every_room_is_described_and_no_other() -> None:
    told = [quoted(row[0])[0] for row in rows(section(text("docs/architecture.md"), "The house"))]
    of_python = {name for name in told if name.partition("/")[0] in _PACKAGES}
    rooms = {
        f"{file.parent.relative_to(ROOT)}/"
        for package in _PACKAGES
        for file in (ROOT / package).rglob("*.py")
        if file.name not in _NO_MODULES and file.parent.parent != ROOT
    }
    assert len(told) == len(set(told))
    # Rules are a room without a module: they are data.
    assert of_python - {"live_tail/rules/"} == rooms


def test_every_folder_that_a_document_names_exists() -> None:
    named = {
        word
        for word in quoted(everything())
        if re.fullmatch(
            r"(?:privacy|ingestion|live_tail|dagster_project|dbt|streamlit_app|tta_monitor|tests|docs)/[\w/]*",
            word,
        )
        and word.endswith("/")
    }
    assert len(named) > 40
    assert [name for name in sorted(named) if not (ROOT / name).is_dir()] == []


def test_a_kind_of_change_has_one_folder_and_the_data_in_it_exists() -> None:
    table = rows(section(text("docs/CONTRIBUTING.md"), "Where what goes"))
    assert len(table) >= 10
    for _, place, fails in table:
        folder, *data = quoted(place)
        assert (ROOT / folder).exists(), folder
        assert all((ROOT / folder / name).exists() for name in data), place
        assert "test_" in fails or fails == "the same" or fails.endswith("the same"), place


def test_no_two_modules_of_privacy_and_ingestion_have_one_name() -> None:
    named: dict[str, list[str]] = {}
    for package in ("privacy", "ingestion"):
        for file in (ROOT / package).rglob("*.py"):
            # What a setting is of has the name of its section.
            if file.name not in _NO_MODULES and file.parent.name != "settings":
                named.setdefault(file.stem, []).append(str(file.relative_to(ROOT)))
    assert [places for places in named.values() if len(places) > 1] == []
