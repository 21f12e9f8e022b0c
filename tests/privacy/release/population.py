"""Specs and rows that the tests of the release gate share."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from privacy.keys.key_store import KeyStore
from privacy.release import (
    Dimension,
    Histogram,
    Mechanism,
    Period,
    PeriodKind,
    ReleaseGate,
    ReleaseRefused,
)

DAY = Period.parse("2026-03-02")
NOW = datetime(2026, 6, 1, tzinfo=UTC)
SITES = ("north", "south", "west", "web")
COHORTS = tuple("ABCDEFGH")


def table_spec(
    mart: str = "daily_players",
    epsilon: float | None = 0.5,
    mechanism: Mechanism = Mechanism.DISCRETE_LAPLACE,
    sites: tuple[str, ...] = SITES,
    cohorts: tuple[str, ...] = COHORTS,
) -> Histogram:
    """Site by cohort with all margins, by day."""
    return Histogram(
        mart=mart,
        period=PeriodKind.DAY,
        dimensions=(Dimension("site", sites, None), Dimension("cohort", cohorts, None)),
        epsilon=None if mechanism is Mechanism.K_ANONYMITY else epsilon,
        margins=((), ("site",), ("cohort",)),
        mechanism=mechanism,
    )


def rows_of(counts: np.ndarray, spec: Histogram) -> pl.DataFrame:
    """One row per person such that the exact histogram is `counts`."""
    cells = np.repeat(np.arange(spec.bins), counts.ravel())
    at = np.unravel_index(cells, spec.shape)
    columns = {
        d.name: [d.labels[i] for i in index] for d, index in zip(spec.dimensions, at, strict=True)
    }
    return pl.DataFrame(
        {"subject": [f"p_{i}" for i in range(len(cells))], **columns},
        schema_overrides={"subject": pl.String, **dict.fromkeys(columns, pl.String)},
    )


def skewed_counts(chance: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Counts with many small cells, as cohorts of one per cent give."""
    return chance.poisson(chance.gamma(0.9, 28, shape)) + 1


SPEC = table_spec()
ROWS = rows_of(skewed_counts(np.random.default_rng(1), SPEC.shape), SPEC)


def small(mart: str, period: PeriodKind, epsilon: float) -> Histogram:
    """People by site only."""
    return Histogram(mart, period, (Dimension("site", SITES, None),), epsilon, margins=())


def gate_of(home: Path, **options: object) -> ReleaseGate:
    """The gate of a home, its clock well after every period of the tests."""
    return ReleaseGate(home, KeyStore.open(home, create=True), now=lambda: NOW, **options)


def attempt(arguments: tuple[str, str, float]) -> str:
    """One release of the day in a process of its own: `released` or the reason of the refusal."""
    home, mart, epsilon = arguments
    try:
        gate_of(Path(home)).release(ROWS, small(mart, PeriodKind.DAY, epsilon), DAY)
    except ReleaseRefused as refusal:
        return refusal.reason
    return "released"
