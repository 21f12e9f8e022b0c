"""Every attribute that models and the live tail read may pass the gate: of one that may not nothing arrives."""

import re
from collections.abc import Iterator

import pytest

from ingestion.meaning.names import names
from privacy.gate.allow_list import LEVELS, Treatment, load_allow_list
from tests.conftest import ROOT

_READ = {
    "dbt": ("*.sql", re.compile(r"(?:attribute|whole_number)\(\[([^\]]*)\]")),
    "live_tail": ("*.py", re.compile(r"\.attribute\(([^)]*)\)")),
}
_NAME = re.compile(r"[\"']([^\"']+)[\"']")


def _read() -> Iterator[str]:
    for folder, (kind, reads) in _READ.items():
        for file in (ROOT / folder).rglob(kind):
            for listed in reads.findall(file.read_text()):
                yield from _NAME.findall(listed)
    for named in names()["attributes"].values():
        yield from named


def _may_pass(name: str) -> bool:
    decisions = [load_allow_list().decide(level, name) for level in LEVELS]
    return any(d.treatment is not Treatment.DROP for d in decisions)


@pytest.mark.parametrize("name", sorted(set(_read())))
def test_an_attribute_that_is_read_is_on_the_allow_list(name: str) -> None:
    assert _may_pass(name)


def test_many_are_read_and_one_that_nobody_listed_would_be_found() -> None:
    assert len(set(_read())) > 40
    assert not _may_pass("player.mood_score")
    assert not _may_pass("gen_ai.prompt")
