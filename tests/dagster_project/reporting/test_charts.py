"""Charts keep their colours, break where nothing was measured, and tell the time of the chosen zone."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dagster_project.reporting import charts, picture
from dagster_project.reporting.charts import DARK, LIGHT, Clock, Look, Mark, Threshold

END = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLOCK = Clock(END - timedelta(minutes=4), END)
CURVED = pytest.mark.parametrize("look", [LIGHT, DARK], ids=["light", "dark"])


def frame(names: list[str]) -> pd.DataFrame:
    times = pd.date_range(CLOCK.start_at, periods=4, freq="min")
    return pd.DataFrame(
        [
            {"bucket_at": t, "component": n, "rate": i + 1.0}
            for i, n in enumerate(names)
            for t in times
        ]
    )


def rows(names: list[str], **more: Any) -> pd.DataFrame:
    return charts.time_rows(
        frame(names), value="rate", series="component", clock=CLOCK, names=names, step_s=60, **more
    )


def drawn(names: list[str], look: Look, **more: Any) -> Any:
    return charts.time_chart(
        frame(names), value="rate", series="component", unit="/s", look=look, clock=CLOCK, step_s=60,
        **more,
    )  # fmt: skip


def bands(look: Look) -> Any:
    heat = pd.DataFrame(
        {"bucket_at": [CLOCK.start_at] * 2, "latency_ms": [5.0, 80.0], "request_count": [3, 4]}
    )
    return charts.heat_map(charts.heat_bands(heat, 60, CLOCK), look=look, label=CLOCK.label)


def counted(look: Look) -> Any:
    return charts.bars_over_time(
        frame(["error", "info"]), value="rate", series="component", unit="lines", look=look,
        clock=CLOCK, step_s=60, known=("error", "info"), colours=(look.critical, look.unknown),
    )  # fmt: skip


def ranked(look: Look) -> Any:
    models = pd.DataFrame({"model": ["a", "b"], "ms": [9.0, 4.0], "cost": [1.0, 2.0]})
    return charts.ranked_bars(models, name="model", value="ms", unit="ms", look=look)


def apart(look: Look) -> Any:
    models = pd.DataFrame(
        {"model": ["a", "b"], "ms": [9.0, 4.0], "low": [8.0, 3.5], "high": [None, 4.4]}
    )
    return charts.intervals(
        models, name="model", value="ms", low="low", high="high", unit="ms", look=look, against="b"
    )


def spread(look: Look) -> Any:
    models = pd.DataFrame(
        {"model": ["a", "b", "c"], "ms": [9.0, 4.0, 9.5], "cost": [1.0, 2.0, 3.0]}
    )
    titles = ("cost", "ms")
    return charts.scatter(models, x="cost", y="ms", name="model", titles=titles, look=look)


def fallen(look: Look) -> Any:
    return charts.waterfall(spans(), look=look)


def small(look: Look) -> Any:
    return charts.sparkline([1.0, None, 3.0, 2.0], look=look)


KINDS = [bands, counted, ranked, apart, spread, fallen, small]


def spans() -> pd.DataFrame:
    kept = [
        ("a", "", 0, 100, "api", "GET", "OK"),
        ("b", "a", 5, 40, "db", "SELECT", "OK"),
        ("c", "a", 50, 45, "llm", "chat", "ERROR"),
        ("d", "a", 51, 10, "cache", "GET", "OK"),
        ("e", "gone", 1, 5, "probe", "GET", "OK"),
    ]
    names = "span_id parent_span_id start_at duration_ns component name status_code".split()
    return pd.DataFrame(
        [(i, p, at * 1_000, took * 1e6, *more) for i, p, at, took, *more in kept], columns=names
    )


@CURVED
@pytest.mark.parametrize("kind", KINDS)
def test_charts_render_to_a_picture(look: Look, kind: Any) -> None:
    import vl_convert

    described = {**kind(look).to_dict(), "width": 320}
    assert vl_convert.vegalite_to_png(described, scale=1).startswith(b"\x89PNG")


@CURVED
def test_a_time_chart_with_everything_on_it_renders(look: Look) -> None:
    import vl_convert

    made = drawn(
        ["p50", "p95"], look, thresholds=[Threshold(1.5, "SLO")],
        marks=[Mark(END - timedelta(minutes=2), "1.4.2 in api")], compare=frame(["p50"]),
        moved_by=timedelta(minutes=4), partial_after=END - timedelta(minutes=2),
    )  # fmt: skip
    described = {**made.to_dict(), "width": 320}
    assert vl_convert.vegalite_to_png(described, scale=1).startswith(b"\x89PNG")
    axis = described["layer"][0]["encoding"]["x"]
    assert axis["scale"]["type"] == "utc" and "%H:%M" in axis["axis"]["labelExpr"]


def test_a_picture_is_drawn_in_a_process_of_its_own_and_a_wrong_one_says_what_to_do() -> None:
    assert picture.png(drawn(["a"], LIGHT).to_dict(), width=200, scale=1).startswith(b"\x89PNG")
    with pytest.raises(picture.PictureProblem, match="take CSV instead"):
        picture.png({"mark": "nothing like this"}, width=200)


def test_a_picture_asks_no_other_host() -> None:
    outside = {
        "data": {"url": "https://example.com/rows.json"}, "mark": "point",
        "encoding": {"x": {"field": "a", "type": "quantitative"}},
    }  # fmt: skip
    with pytest.raises(picture.PictureProblem):
        picture.png(outside, width=200)


def test_a_component_keeps_its_colour_when_others_leave() -> None:
    known = ["a", "b", "c"]
    all_colours = charts.colour_scale(known, known, LIGHT).to_dict()["range"]
    fewer = charts.colour_scale(["a", "c"], known, LIGHT).to_dict()["range"]
    assert fewer == [all_colours[0], all_colours[2]]


def test_more_than_six_series_become_other() -> None:
    folded = charts.fold_series(frame([f"c{i}" for i in range(9)]), "component", "rate")
    assert len(folded["component"].unique()) == charts.MAX_SERIES
    assert charts.OTHER in set(folded["component"])
    small = frame(["a"])
    assert charts.fold_series(small, "component", "rate") is small


def test_lines_break_where_nothing_was_measured() -> None:
    known = frame(["a", "b"])
    without = known[
        ~((known["component"] == "a") & (known["bucket_at"] == known["bucket_at"].iloc[1]))
    ]
    broken = charts.with_gaps(without, series="component", step_s=60)
    added = broken[broken["rate"].isna()]
    assert list(added["component"]) == ["a"]
    assert list(added["bucket_at"]) == [known["bucket_at"].iloc[1]]
    assert charts.with_gaps(known, series="component", step_s=60) is known


def test_the_bucket_that_is_not_over_is_drawn_apart_and_joined_to_the_last_whole_one() -> None:
    found = rows(["a"], partial_after=END - timedelta(minutes=1))
    whole, partial = found[found["kind"] == "value"], found[found["kind"] == "partial"]
    assert [f"{at:%M}" for at in whole["at"]] == ["56", "57", "58"]
    assert [f"{at:%M}" for at in partial["at"]] == ["58", "59"]


def test_an_end_of_an_interval_that_is_not_known_is_the_value_itself() -> None:
    (rows,) = apart(LIGHT).to_dict()["datasets"].values()
    assert [(r["low"], r["high"], r["is_against"]) for r in rows] == [
        (8.0, 9.0, False),
        (3.5, 4.4, True),
    ]


def test_what_is_compared_in_wider_buckets_is_no_gap() -> None:
    wide = frame(["a"]).iloc[::3]
    holes = rows(["a"], compare=wide, moved_by=timedelta(0))
    whole = rows(["a"], compare=wide, moved_by=timedelta(0), compare_step_s=180)
    for found, gaps in ((holes, True), (whole, False)):
        assert bool(found[found["kind"] == "compare"]["value"].isna().any()) is gaps


def test_what_is_compared_is_drawn_over_the_range_and_marks_outside_it_are_not() -> None:
    marks = [Mark(END - timedelta(days=1), "before"), Mark(END - timedelta(minutes=1), "inside")]
    before = frame(["a"]).assign(bucket_at=lambda r: r["bucket_at"] - pd.Timedelta(days=1))
    found = rows(["a"], compare=before, moved_by=timedelta(days=1), marks=marks)
    compared = found[found["kind"] == "compare"]
    assert list(compared["at"]) == list(found[found["kind"] == "value"]["at"])
    assert list(found[found["kind"] == "mark"]["note"]) == ["inside"]


def test_an_empty_frame_keeps_the_ends_of_its_range() -> None:
    empty = frame(["a"]).head(0)
    found = charts.time_rows(
        empty, value="rate", series="component", clock=CLOCK, names=[], step_s=60
    )
    assert list(found["kind"]) == ["edge", "edge"]
    assert list(found["at"]) == [at.replace(tzinfo=None) for at in (CLOCK.start_at, CLOCK.end_at)]


def test_names_at_ends_of_lines_do_not_cover_each_other() -> None:
    close = frame(["a", "b"]).assign(rate=[10.0] * 4 + [10.1] * 4)
    found = charts.time_rows(
        close, value="rate", series="component", clock=CLOCK, names=["a", "b"], step_s=60
    )
    low, high = sorted(found[found["kind"] == "name"]["value"])
    assert high - low > 0.5


@pytest.mark.parametrize("longest", [3, 12, 30, 44])
def test_a_legend_fits_a_phone(longest: int) -> None:
    names = [f"{n}" * longest for n in "abcd"]
    described = drawn(names, LIGHT).to_dict()
    legends = [
        layer["encoding"]["color"]["legend"]
        for layer in described["layer"]
        if layer["encoding"].get("color", {}).get("legend")
    ]
    if longest <= 6:
        assert not legends, "short names stand at their lines"
        return
    assert all(
        one["columns"] * (longest * 6.6 + 30) <= 330 or one["columns"] == 1 for one in legends
    )
    assert all(one["labelLimit"] <= 300 for one in legends)


def test_hours_are_those_of_the_zone_before_and_after_the_clocks_change() -> None:
    # 25 October 2026, 01:00 UTC: Berlin goes from 03:00 back to 02:00.
    clock = Clock(
        datetime(2026, 10, 24, 23, tzinfo=UTC),
        datetime(2026, 10, 25, 3, tzinfo=UTC),
        "Europe/Berlin",
    )
    times = pd.Series(pd.date_range(clock.start_at, clock.end_at, freq="30min"))
    said = [_label(clock, at) for at in clock.drawn(times)]
    assert said == [
        "01:00", "01:30", "02:00", "02:30", "02:00", "02:30", "03:00", "03:30", "04:00",
    ]  # fmt: skip
    drawn_ms = clock.drawn(times).iloc[3].timestamp() * 1_000
    assert clock.moment(drawn_ms) == times.iloc[3].to_pydatetime()


def _label(clock: Clock, at: pd.Timestamp) -> str:
    """The tick's expression, worked out as Vega does."""
    value = clock.label.removeprefix("utcFormat(").removesuffix(", '%H:%M')")
    ms = int(at.timestamp() * 1_000)
    while value.startswith("("):
        condition, _, rest = value[1:-1].partition(" ? ")
        then, _, value = rest.partition(" : ")
        if ms < int(condition.removeprefix("datum.value < ")):
            ms += int(then.removeprefix("datum.value + "))
            break
    return f"{datetime.fromtimestamp(ms / 1_000, UTC):%H:%M}"


def test_bars_of_a_bucket_stand_on_each_other() -> None:
    data = counted(LIGHT).to_dict()
    stacked = next(v for v in data["datasets"].values() if "low" in v[0])
    first = sorted((r["low"], r["high"]) for r in stacked if r["at"] == stacked[0]["at"])
    assert first == [(0.0, 1.0), (1.0, 3.0)]


def test_latency_bands_hold_what_they_count_and_nothing_is_lost() -> None:
    chance = np.random.default_rng(7)
    heat = pd.DataFrame(
        {
            "bucket_at": CLOCK.start_at,
            "latency_ms": 10 ** chance.uniform(-2, 5, 300),
            "request_count": 2,
        }
    )
    found = charts.heat_bands(heat, 60, CLOCK)
    assert found["requests"].sum() == 600 and (found["high_ms"] > found["low_ms"]).all()


def test_what_nothing_beats_is_joined() -> None:
    data = spread(LIGHT).to_dict()["datasets"]
    (points,) = data.values()
    assert {p["model"]: p["is_best"] for p in points} == {"a": True, "b": True, "c": False}


def test_a_waterfall_has_parents_before_children_and_the_path_that_took_the_time() -> None:
    found = charts.span_rows(spans()).set_index("span_id")
    assert list(found.index) == ["a", "b", "c", "d", "e"]
    assert list(found["depth"]) == [0, 1, 1, 1, 0]
    assert found["is_critical"].to_dict() == {
        "a": True,
        "b": True,
        "c": True,
        "d": False,
        "e": False,
    }
    assert found["gap_ms"].to_dict() == {"a": 0, "b": 5.0, "c": 5.0, "d": 0, "e": 0}
    assert list(found.index[found["is_lost"]]) == ["e"]


def test_a_circle_of_parents_is_still_drawn_once() -> None:
    circle = spans().head(3).assign(parent_span_id=["c", "a", "b"])
    found = charts.span_rows(circle)
    assert sorted(found["span_id"]) == ["a", "b", "c"] and not found["is_critical"].any()


def test_times_of_spans_may_be_times() -> None:
    timed = spans().assign(start_at=lambda r: pd.to_datetime(r["start_at"], unit="us", utc=True))
    assert list(charts.span_rows(timed)["start_ms"]) == list(charts.span_rows(spans())["start_ms"])


def test_a_description_holds_no_moment_so_that_it_can_be_kept() -> None:
    kind = charts.Kind(("a",), ("a",), "/s", LIGHT, CLOCK.label, 190, is_live=True)
    described = charts.described(rows(["a"]).head(0), kind).to_dict()
    assert "2026" not in json.dumps(described["layer"])
    names = {p["name"] for p in described["params"]}
    assert {"range", "minute", "hover"} <= names


def contrast(one: str, two: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("look", "floor"), [(LIGHT, 5.0), (DARK, 7.0)])
def test_colours_can_be_read(look: Look, floor: float) -> None:
    states = (look.ok, look.warning, look.critical, look.unknown, look.quiet)
    assert all(contrast(colour, look.background) >= floor for colour in states)
    assert contrast(look.text, look.background) >= 7
    assert all(contrast(colour, look.background) >= 3 for colour in look.series)
