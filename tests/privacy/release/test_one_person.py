"""The attack of a reader who knows everybody but one, and of one who waits for an erasure.

Noise is drawn by the production mechanism. Each attack is also run against naive k >= 10, where it succeeds:
that proves that it attacks. Where a bound is met exactly, one run in 740 is above it by more than three
standard errors by chance alone. Such a run is repeated once with fresh noise; a mechanism that leaks more
fails both.
"""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from privacy.release import ReleaseRefused
from privacy.release.cells import rounded
from privacy.release.mechanism import noisy
from tests.privacy.release.population import DAY, ROWS, SPEC, gate_of
from tests.privacy.release.test_attacks import K

TRIALS = 20_000


def bound(epsilon: float) -> float:
    """How often a reader who guesses one of two neighbouring tables can be right, at most."""
    return math.exp(epsilon) / (1 + math.exp(epsilon))


def assert_within(limit: float, run: Callable[[], float]) -> None:
    """At most the limit plus three standard errors over all trials; repeated once when above."""
    error = 3 * math.sqrt(limit * (1 - limit) / TRIALS)
    accuracies = [run()]
    if accuracies[0] > limit + error:
        accuracies.append(run())
    assert accuracies[-1] <= limit + error, accuracies


def guesses(
    release: Callable[[np.ndarray], np.ndarray], others: int, chance: np.random.Generator
) -> float:
    """Accuracy of a reader who knows all `others` and guesses whether the victim is there.

    In each trial the victim is there or not by a fair coin. The reader learns the best answer to
    every published value from trials of its own, then guesses on fresh ones.
    """
    odds: dict[float, int] = {}
    there = chance.integers(0, 2, TRIALS)
    for value, truth in zip(release(others + there).tolist(), there, strict=True):
        key = -1.0 if math.isnan(value) else value
        odds[key] = odds.get(key, 0) + (1 if truth else -1)
    there = chance.integers(0, 2, TRIALS)
    shown = np.nan_to_num(release(others + there), nan=-1.0)
    guess = np.array([odds.get(value, int(value) - others) > 0 for value in shown.tolist()])
    return float((guess == there).mean())


def exact_k(counts: np.ndarray) -> np.ndarray:
    """One cell of a naive k >= 10 table per trial."""
    return np.where(counts < K, np.nan, counts.astype(float))


def published(epsilon: float) -> Callable[[np.ndarray], np.ndarray]:
    """What is shown of each trial's cell by the production mechanism."""
    return lambda counts: rounded(noisy(counts, epsilon), K, 5)


def raw(epsilon: float) -> Callable[[np.ndarray], np.ndarray]:
    """The noisy count itself, which nobody sees: the bound is met here."""
    return lambda counts: noisy(counts, epsilon).astype(float)


@pytest.mark.parametrize("epsilon", [0.1, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("others", [9, 12, 40])
def test_who_knows_everybody_but_one_stays_within_the_bound(epsilon: float, others: int) -> None:
    chance = np.random.default_rng(others)
    assert_within(bound(epsilon), lambda: guesses(published(epsilon), others, chance))


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 1.0])
def test_the_noisy_count_itself_meets_the_bound_and_no_more(epsilon: float) -> None:
    """The best guess there is: the victim is there when more than the others are counted."""
    chance, limit = np.random.default_rng(3), bound(epsilon)
    accuracies: list[float] = []

    def run() -> float:
        there = chance.integers(0, 2, TRIALS)
        guess = raw(epsilon)(40 + there) > 40
        accuracies.append(float((guess == there).mean()))
        return accuracies[-1]

    assert_within(limit, run)
    assert accuracies[-1] > limit - 5 * math.sqrt(limit * (1 - limit) / TRIALS)


def test_who_knows_everybody_but_one_is_certain_against_naive_k() -> None:
    chance = np.random.default_rng(4)
    assert guesses(exact_k, 40, chance) == 1.0
    # Even the edge of the threshold tells: 9 is blank, 10 is not.
    assert guesses(exact_k, 9, chance) == 1.0


def erasure_accuracy(release: Callable[[np.ndarray], np.ndarray]) -> float:
    """Was the erased person in this cell? The reader compares a table before and one after.

    The other people of the cell are many and not known; the victim was in it by a fair coin.
    """
    chance = np.random.default_rng(6)
    others, there = chance.integers(20, 60, TRIALS), chance.integers(0, 2, TRIALS)
    gone = np.nan_to_num(release(others + there)) - np.nan_to_num(release(others))
    return float(((gone > 0) == there).mean())


def test_comparing_before_and_after_an_erasure_is_certain_against_naive_k() -> None:
    assert erasure_accuracy(exact_k) == 1.0


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 1.0])
def test_a_second_noisy_table_would_stay_within_the_bound_of_two_releases(epsilon: float) -> None:
    assert_within(bound(2 * epsilon), lambda: erasure_accuracy(published(epsilon)))
    assert_within(bound(2 * epsilon), lambda: erasure_accuracy(raw(epsilon)))


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 1.0])
def test_without_a_second_table_an_erasure_tells_no_more_than_one_release(epsilon: float) -> None:
    """Published once: the reader has the first table and knows all others besides."""
    chance = np.random.default_rng(7)
    assert_within(bound(epsilon), lambda: guesses(published(epsilon), 25, chance))


def test_a_second_draw_of_the_same_period_would_break_the_bound_of_one() -> None:
    """Why each period is published once: three draws tell more, sixteen more than eps 1 would."""
    limit, chance = bound(0.5), np.random.default_rng(11)
    error = 3 * math.sqrt(limit * (1 - limit) / TRIALS)

    def averaged(draws: int) -> Callable[[np.ndarray], np.ndarray]:
        return lambda counts: np.mean([noisy(counts, 0.5) for _ in range(draws)], axis=0)

    there = chance.integers(0, 2, TRIALS)
    accuracy = {
        draws: float(((averaged(draws)(40 + there) > 40.5) == there).mean()) for draws in (3, 16)
    }
    assert accuracy[3] > limit + error
    assert accuracy[16] > bound(1.0)


def test_the_gate_gives_who_waits_for_an_erasure_no_second_table(home: Path) -> None:
    gate = gate_of(home)
    before = gate.release(ROWS, SPEC, DAY)
    erased = ROWS.filter(ROWS["subject"] != "p_0")
    with pytest.raises(ReleaseRefused, match="published already"):
        gate.release(erased, SPEC, DAY)
    after = gate.ledger.find(SPEC.mart, DAY)
    assert after is not None and after.counts.equals(before.counts)
