"""What was spent and what is left, to the micro-epsilon, and at the edges of 28 days."""

from datetime import date, timedelta

from privacy.release.epsilon_budget import DAYS, over_budget, statement
from privacy.release.release_ledger import Entry

UNTIL = date(2026, 3, 29)
DAY = timedelta(days=1)


def entry(period: str, micro: int | None = 100_000, mart: str = "daily") -> Entry:
    mechanism = "discrete_laplace" if micro is not None else "k_anonymity"
    return Entry(1, mart, period, micro, 1, "first", mechanism, "spec", "result", "now")


def day(days_before: int, **more) -> Entry:
    return entry((UNTIL - days_before * DAY).isoformat(), **more)


def test_what_is_left_is_the_budget_without_what_the_window_spent() -> None:
    found = statement([day(0), day(27), day(28), day(-1)], 1.0, UNTIL)
    assert (found.since, found.until) == (UNTIL - 27 * DAY, UNTIL)
    assert (found.spent, found.left, found.budget) == (0.2, 0.8, 1.0)
    # No 28 days hold three of the four.
    assert found.most == 0.2
    assert statement([day(0), day(27), day(26), day(-1)], 1.0, UNTIL).most == 0.3


def test_activity_reaches_as_many_days_as_the_budget_and_touches_whole_periods() -> None:
    # A week that ends 27 days after a day's release shares its 28 days, as does one that ends later and
    # begins on the last of them; one that begins a day later does not.
    assert statement([day(27), day(0)], 9, UNTIL).most_by_activity == 0.2
    assert statement([day(28), day(0)], 9, UNTIL).most_by_activity == 0.1
    monday = "2026-W13"  # begins on 23 March
    touching = entry((date(2026, 3, 23) - (DAYS - 1) * DAY).isoformat())
    apart = entry((date(2026, 3, 23) - DAYS * DAY).isoformat())
    week = entry(monday, 250_000, "weekly")
    assert statement([touching, week], 9, UNTIL).most_by_activity == 0.35
    assert statement([apart, week], 9, UNTIL).most_by_activity == 0.25


def test_lines_are_by_mart_and_k_anonymity_has_no_epsilon_but_is_named() -> None:
    found = statement([day(0), day(1), day(40), day(2, micro=None, mart="k")], 1.0, UNTIL)
    lines = {line.mart: line for line in found.marts}
    daily, plain = lines["daily"], lines["k"]
    assert (daily.releases_in_window, daily.epsilon_in_window, daily.releases_ever) == (2, 0.2, 3)
    assert (plain.epsilon_each, plain.epsilon_in_window, plain.releases_in_window) == (
        None,
        None,
        1,
    )
    assert found.without_bound == ("k",) and "k-anonymity" in found.text


def test_a_release_fits_to_the_last_micro_epsilon_in_every_window_that_holds_it() -> None:
    spent = [day(27), day(13)]
    assert over_budget(spent, UNTIL, 100_000, 0.3) is None
    cause = over_budget(spent, UNTIL, 100_001, 0.3)
    assert cause is not None and f"from {UNTIL - 27 * DAY}, of 0.3" in cause
    assert over_budget([day(28), day(13)], UNTIL, 200_000, 0.3) is None
    # A window that begins with the release counts what was released for later days already.
    assert over_budget([day(-27)], UNTIL, 100_000, 0.15) is not None
    assert over_budget([day(-28)], UNTIL, 100_000, 0.15) is None
