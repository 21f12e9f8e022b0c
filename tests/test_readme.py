"""The README names every setting, command, target and treatment that exists."""

import re
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from ingestion.settings import Settings
from privacy.fields import Treatment
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()


def _settings(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _settings(kind, f"{prefix}{name}.")
        elif prefix:
            yield prefix + name


@pytest.mark.parametrize("name", list(_settings()))
def test_every_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in README


def test_every_documented_setting_exists() -> None:
    table = re.findall(r"^\| (`[a-z_]+\.[a-z_`, .]+) \|", README, re.MULTILINE)
    named = {name for row in table for name in re.findall(r"`([a-z_.]+)`", row)}
    assert named <= set(_settings())
    assert len(named) > 10


def test_every_make_target_is_documented() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE).group(1).split()
    for target in set(targets) - {"setup", "test-setup"}:
        assert f"make {target}" in README, target


@pytest.mark.parametrize("treatment", list(Treatment))
def test_every_treatment_of_the_gate_is_documented(treatment: Treatment) -> None:
    assert f"`{treatment.value}`" in README


def test_every_file_a_link_points_to_exists() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
