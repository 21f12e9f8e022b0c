"""What the noise costs: errors of published figures on a population made up here.

2,000 people, about 480 a day, three sites, five cohorts of which one has one per cent. Real data
will differ. The limits leave room above what was measured, which stands in `mechanism`.
"""

import numpy as np
import pytest

from privacy.release import Dimension, Histogram, PeriodKind
from privacy.release.release_gate import draw
from tests.privacy.release.population import DAY

SITES = Dimension("site", ("north", "south", "web"), None)
COHORTS = Dimension("cohort", tuple("ABCDE"), None)
SHARES = np.array([0.4, 0.3, 0.19, 0.1, 0.01])


def days(count: int) -> list[np.ndarray]:
    chance = np.random.default_rng(12)
    sizes = np.array([[220], [160], [100]])
    return [chance.poisson(sizes * SHARES) for _ in range(count)]


def relative_errors(epsilon: float) -> tuple[float, float]:
    """Mean relative error of a site's count and of the day's total, published as site leaves."""
    spec = Histogram("daily", PeriodKind.DAY, (SITES,), epsilon)
    leaf, total = [], []
    for counts in (day.sum(axis=1) for day in days(200)):
        *sites, everybody = draw(counts, spec, DAY).cells
        leaf += [abs((c.count or 0) - n) / n for c, n in zip(sites, counts, strict=True)]
        total.append(abs((everybody.count or 0) - counts.sum()) / counts.sum())
    return float(np.mean(leaf)), float(np.mean(total))


@pytest.mark.parametrize(
    ("epsilon", "leaf", "total"), [(0.1, 0.10, 0.05), (0.25, 0.05, 0.025), (0.5, 0.03, 0.015)]
)
def test_sites_and_daily_total_stay_within_the_stated_error(
    epsilon: float, leaf: float, total: float
) -> None:
    site_error, total_error = relative_errors(epsilon)
    print(f"epsilon {epsilon}: site {site_error:.2%}, total {total_error:.2%}")
    assert site_error < leaf
    assert total_error < total


def test_more_epsilon_means_less_error() -> None:
    assert relative_errors(1.0)[0] < relative_errors(0.1)[0]


def test_the_cube_loses_small_cells_and_says_how_many() -> None:
    spec = Histogram("cube", PeriodKind.DAY, (SITES, COHORTS), 0.5, margins=((), ("site",)))
    missed = 0
    for counts in days(20):
        cells = draw(counts, spec, DAY).cells
        total = next(cell for cell in cells if cell.level == "total")
        hidden = sum(cell.count is None for cell in cells[:15])
        assert total.suppressed_cells == hidden and hidden >= 1
        missed += not total.low <= counts.sum() <= total.high
    # The interval holds 95 %: more than 6 misses in 20 have a chance below 1 in 10,000.
    assert missed <= 6
