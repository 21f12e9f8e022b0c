"""A view is its address: what somebody sees, another sees who opens the link."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from streamlit_app import view as views
from streamlit_app.view import FILTERS, RANGES, View

NOW = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
words = some.text(some.characters(exclude_categories=("C", "Z")), min_size=1, max_size=40)
maybe = some.none() | words
moments = some.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=some.just(UTC)).map(
    lambda at: at.replace(microsecond=0)
)
lengths = some.timedeltas(timedelta(seconds=1), views.LONGEST).map(
    lambda d: timedelta(seconds=max(1, int(d.total_seconds())))
)


@some.composite
def any_view(draw: some.DrawFn) -> View:
    rest = {name: draw(maybe) for name in FILTERS}
    compare = draw(some.none() | some.just("previous") | words.map(lambda w: f"release:{w}"))
    label = draw(some.none() | some.sampled_from(list(RANGES)))
    end_at = NOW if label else draw(moments)
    length = RANGES[label] if label else draw(lengths)
    return View(
        end_at - length, end_at, label, zone=draw(some.sampled_from(ZONES)), compare=compare,
        search=draw(some.just("") | words), **rest,
    )  # fmt: skip


@given(any_view())
def test_a_view_comes_back_from_its_parameters_and_from_its_link(shown: View) -> None:
    assert View.of(shown.params(), NOW) == shown
    opened = dict(parse_qsl(urlsplit(shown.link("errors")).query))
    again = View.of(opened, NOW)
    assert again == shown and again.problems == ()


@given(
    some.dictionaries(
        some.sampled_from(["range", "from", "to", "tz", "compare", *FILTERS, "q"]), some.text()
    )
)
@example({"tz": "Europe"})
@example({"tz": "../../etc/passwd"})
@example({"from": "9999-12-31T23:59:59-23:59"})
def test_whatever_stands_in_the_address_a_page_opens(params: dict[str, str]) -> None:
    shown = View.of(params, NOW)
    assert shown.start_at < shown.end_at
    assert View.of(shown.params(), NOW) == shown


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"range": "4 fortnights"}, "range"),
        ({"from": "yesterday", "to": "2026-03-01T12:00:00Z"}, "from"),
        ({"from": "2026-03-01T12:00:00", "to": "2026-03-01T13:00:00Z"}, "from"),
        ({"from": "2026-03-01T12:00:00Z", "to": "2026-03-01T11:00:00Z"}, "from"),
        ({"from": "2020-03-01T12:00:00Z", "to": "2026-03-01T11:00:00Z"}, "from"),
        ({"to": "2026-03-01T12:00:00Z"}, "to"),
        ({"tz": "Mars/Olympus"}, "tz"),
        ({"compare": "release:"}, "compare"),
        ({"route": "x" * 301}, "route"),
        ({"q": "a\x00b"}, "q"),
    ],
)
def test_a_parameter_that_is_not_understood_is_named_and_the_rest_is_kept(
    params: dict[str, str], named: str
) -> None:
    shown = View.of({"component": "api", **params}, NOW, default="6 h")
    (problem,) = shown.problems
    assert problem.startswith(f"{named} ")
    assert shown.component == "api"
    if named in {"range", "from", "to"}:
        assert (shown.label, shown.end_at) == ("6 h", NOW)


def test_a_start_alone_lasts_until_now() -> None:
    shown = View.of({"from": "2026-03-01T14:00:00+03:00"}, NOW)
    assert (shown.start_at, shown.end_at, shown.label) == (
        NOW.replace(hour=11, second=0),
        NOW,
        None,
    )
    plus = View.of({"from": "2026-03-01T14:00:00 03:00"}, NOW)
    assert plus.start_at == shown.start_at, "a plus that a browser reads as a space"


@given(some.sampled_from(ZONES), moments)
def test_a_moment_picked_on_a_clock_of_the_zone_is_that_moment(zone: str, at: datetime) -> None:
    shown = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
    picked = {views.instant(shown, zone), views.instant(shown, zone, is_end=True)}
    assert at in picked, "in the hour that comes twice either its first or its second"


def test_the_hour_that_comes_twice_is_whole_and_the_one_that_is_skipped_is_not_lost() -> None:
    twice, skipped = datetime(2026, 10, 25, 2, 30), datetime(2026, 3, 29, 2, 30)
    start_at = views.instant(twice, "Europe/Berlin")
    assert views.instant(twice, "Europe/Berlin", is_end=True) - start_at == timedelta(hours=1)
    for is_end in (False, True):
        found = views.instant(skipped, "Europe/Berlin", is_end=is_end)
        assert found == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_a_day_over_the_change_of_clocks_is_24_hours_and_so_is_the_one_before() -> None:
    noon = datetime(2026, 3, 29, 12, tzinfo=UTC)
    shown = View.of({"range": "24 h", "tz": "Europe/Berlin"}, noon)
    start_at, end_at = shown.previous()
    assert end_at == shown.start_at and end_at - start_at == timedelta(hours=24)
    assert (
        f"{shown.local(shown.start_at):%H:%M}" == "13:00"
        and f"{shown.local(noon):%H:%M}" == "14:00"
    )


@given(lengths.filter(lambda d: d >= timedelta(minutes=1)))
def test_a_range_has_60_to_180_buckets(length: timedelta) -> None:
    shown = View(NOW - length, NOW, None)
    assert 60 <= length.total_seconds() / shown.step_s() <= 180


def test_marts_are_never_asked_for_less_than_their_minute() -> None:
    assert View(NOW - timedelta(minutes=5), NOW, "5 min").step_s(least=60) == 60
    assert View(NOW - timedelta(hours=6), NOW, "6 h").step_s(least=60) == 300


def test_a_change_of_the_range_says_whether_it_still_moves_with_the_clock() -> None:
    shown = View.of({"component": "api"}, NOW)
    longer = shown.but(label="24 h")
    assert longer.ends_now and longer.length == timedelta(hours=24) and longer.component == "api"
    zoomed = shown.but(start_at=NOW - timedelta(minutes=9))
    assert not zoomed.ends_now and zoomed.minutes == 9
    with pytest.raises(ValueError, match="range is empty"):
        shown.but(start_at=NOW)


def test_a_link_carries_the_details_of_what_it_opens() -> None:
    shown = View.of({"component": "api", "q": "a&b=c"}, NOW)
    there = urlsplit(shown.link("traces", trace="00ff", at=NOW, component=None, group=None))
    assert there.path == "/traces"
    assert dict(parse_qsl(there.query)) == {
        "range": "1 h", "q": "a&b=c", "trace": "00ff", "at": "2026-03-01T12:00:30Z",
    }  # fmt: skip
    assert shown.filters == {"component": "api", "q": "a&b=c"}
