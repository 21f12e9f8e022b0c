"""Specs and periods: frozen, checked, one label per period."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.release import (
    Dimension,
    Histogram,
    Mechanism,
    Period,
    PeriodKind,
    PeriodProblem,
    ReleaseProblem,
    Statistic,
)
from tests.privacy.release.population import table_spec

MINUTES = Dimension.of_edges("minutes", (0, 5, 10, 30))
DONE = Dimension("done", ("completed", "abandoned"))


def spec(**changes: object) -> Histogram:
    base = Histogram("weekly", PeriodKind.WEEK, (MINUTES, DONE), 0.25)
    return replace(base, **changes)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.sampled_from(PeriodKind))
def test_a_period_is_written_one_way_and_read_back(day: date, kind: PeriodKind) -> None:
    period = Period.containing(kind, day)
    assert period.first <= day <= period.last
    assert Period.parse(period.label) == period
    assert Period.containing(kind, period.last + timedelta(days=1)).first > period.last


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.sampled_from(PeriodKind))
def test_no_28_days_see_more_ends_than_the_budget_counts(day: date, kind: PeriodKind) -> None:
    days = [day + timedelta(days=i) for i in range(28)]
    assert sum(Period.containing(kind, d).last == d for d in days) <= kind.per_28_days


@pytest.mark.parametrize(
    "label", ["2026", "2026-3-2", "2026-W54", "2026-02-30", "2026-13", "2026-w10", " 2026-03", "٢٠٢٦-03"]
)  # fmt: skip
def test_another_spelling_of_a_period_is_refused(label: str) -> None:
    with pytest.raises(PeriodProblem):
        Period.parse(label)


def test_a_period_is_over_after_its_last_day_in_utc() -> None:
    week = Period.parse("2026-W10")
    assert (week.first, week.last) == (date(2026, 3, 2), date(2026, 3, 8))
    assert not week.is_over(datetime(2026, 3, 8, 23, 59, 59, tzinfo=UTC))
    assert week.is_over(datetime(2026, 3, 9, tzinfo=UTC))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mart": "Weekly mart"}, "lower case"),
        ({"epsilon": None}, "epsilon"),
        ({"epsilon": 0.0}, "epsilon"),
        ({"epsilon": float("nan")}, "epsilon"),
        ({"dimensions": ()}, "at least one dimension"),
        ({"dimensions": (MINUTES, MINUTES)}, "each once"),
        ({"subject": "done"}, "none of them the subject"),
        ({"contribution_bound": 2}, "bound is 1"),
        ({"threshold": 4}, "rounding"),
        ({"rounding": 0}, "rounding"),
        ({"margins": (("minutes", "done"),)}, "not all"),
        ({"margins": (("nothing",),)}, "not all"),
        ({"margins": ((), ())}, "each margin once"),
        ({"statistics": (Statistic("mean", "minutes"),)}, "its kind"),
        ({"statistics": (Statistic("quantile", "done"),)}, "edges"),
        ({"statistics": (Statistic("quantile", "minutes", q=1.0),)}, "edges"),
        ({"statistics": (Statistic("rate", "done", value="unknown"),)}, "two values"),
        ({"statistics": (Statistic("rate", "done", ("done",), value="completed"),)}, "once"),
        ({"statistics": (Statistic("correlation", "done"),)}, "once"),
        ({"statistics": (Statistic("quantile", "minutes", min_count=3),)}, "threshold"),
        ({"mechanism": Mechanism.K_ANONYMITY}, "no epsilon"),
    ],
)
def test_a_spec_that_cannot_hold_says_why(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ReleaseProblem, match=said):
        spec(**changes)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Dimension("count", ("a",)),
        lambda: Dimension("site", ()),
        lambda: Dimension("site", ("a", "a")),
        lambda: Dimension("site", ("other",)),
        lambda: Dimension("site", ("a\nb",)),
        lambda: Dimension.of_edges("minutes", (0, 0, 1)),
        lambda: Dimension.of_edges("minutes", (0, float("inf"))),
        lambda: Dimension("minutes", ("short", "long"), edges=(0.0, 1.0)),
        lambda: Histogram(
            "wide", PeriodKind.DAY,
            tuple(Dimension(f"d{i}", tuple("abcdefghij")) for i in range(5)), 1.0,
        ),
    ],
)  # fmt: skip
def test_a_dimension_that_cannot_hold_is_refused(wrong: object) -> None:
    with pytest.raises(ReleaseProblem):
        wrong()


def test_the_digest_changes_with_every_part_of_a_spec() -> None:
    base = table_spec()
    others = [
        replace(base, epsilon=0.6), replace(base, threshold=15), replace(base, margins=()),
        replace(base, keep="first"), replace(base, rounding=1), replace(base, mart="x"),
        table_spec(cohorts=("A", "B")),
    ]  # fmt: skip
    assert len({s.digest for s in [base, *others]}) == len(others) + 1
    assert table_spec().digest == base.digest
