"""Mutation tests look at code and tests that are there."""

from random import Random

import pytest

from tests.mutation.mutants import sample
from tests.mutation.targets import ROOT, TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_code_and_tests_of_a_target_exist(name: str) -> None:
    target = TARGETS[name]
    assert [p for p in (*target.code, *target.tests) if not (ROOT / p).exists()] == []
    assert target.modules()


def test_a_sample_is_the_same_for_a_seed_and_every_mutant_is_another_text() -> None:
    files = TARGETS["identity"].modules()
    chosen = sample(files, 5, Random(1))
    assert chosen == sample(files, 5, Random(1)) and len({m.told() for m in chosen}) == 5
    for mutant in chosen:
        assert mutant.source() != mutant.file.read_text()
        compile(mutant.source(), mutant.module, "exec")
