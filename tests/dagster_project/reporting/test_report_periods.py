"""Days, weeks and months at their edges: clocks that change, ends of months and years, wrong names."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.reporting.document.report_periods import (
    Cadence,
    PeriodProblem,
    ReportPeriod,
    latest_over,
    period_holding,
    read_period,
)

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "America/Sao_Paulo",
    "Pacific/Apia",
]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("UTC", date(2026, 3, 29), 24),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        # Clocks went forward at midnight: the day began at one.
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
    ],
)
def test_a_day_is_as_long_as_its_clocks_make_it(zone: str, day: date, hours: float) -> None:
    period = ReportPeriod(Cadence.DAILY, day, zone)
    assert period.end_at - period.start_at == timedelta(hours=hours)


@given(
    st.datetimes(datetime(2017, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(list(Cadence)),
    st.sampled_from(ZONES),
)
def test_every_moment_lies_in_one_period_and_periods_follow_each_other(
    moment: datetime, cadence: Cadence, zone: str
) -> None:
    period = period_holding(cadence, moment, zone)
    assert period.start_at <= moment < period.end_at
    assert period.previous.end_at == period.start_at and period.next.start_at == period.end_at
    assert period.previous.next == period
    assert read_period(cadence, period.label, zone) == period
    assert latest_over(cadence, moment, zone) == period.previous
    assert period.days[0].start_at == period.start_at and period.days[-1].end_at == period.end_at


@pytest.mark.parametrize(
    ("cadence", "text", "first", "label"),
    [
        (Cadence.DAILY, "2028-02-29", date(2028, 2, 29), "2028-02-29"),
        (Cadence.WEEKLY, "2026-W53", date(2026, 12, 28), "2026-W53"),
        (Cadence.WEEKLY, "2027-01-01", date(2026, 12, 28), "2026-W53"),
        (Cadence.MONTHLY, "2026-12", date(2026, 12, 1), "2026-12"),
        (Cadence.MONTHLY, "2026-12-31", date(2026, 12, 1), "2026-12"),
    ],
)
def test_a_period_is_named_by_its_label_or_a_day_in_it(
    cadence: Cadence, text: str, first: date, label: str
) -> None:
    period = read_period(cadence, text, "UTC")
    assert (period.first, period.label) == (first, label)


@pytest.mark.parametrize(
    ("cadence", "text"),
    [
        (Cadence.DAILY, "2026-02-29"), (Cadence.DAILY, "yesterday"), (Cadence.DAILY, "2026-11"),
        (Cadence.WEEKLY, "2025-W53"), (Cadence.WEEKLY, "W48"), (Cadence.MONTHLY, "2026-13"),
    ],
)  # fmt: skip
def test_what_is_no_period_is_refused_with_an_example(cadence: Cadence, text: str) -> None:
    with pytest.raises(PeriodProblem, match=f"no period of a {cadence} report: name a .* such as"):
        read_period(cadence, text, "UTC")
