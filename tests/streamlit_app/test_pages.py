"""Pages in every state, without a browser; formats and charts as pure functions."""

import json
from datetime import UTC, datetime

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dagster_project.reporting import charts
from ingestion.processes import passes
from ingestion.settings import Settings, load_settings
from privacy.access.policy import Role
from streamlit_app.components import drawing, formats
from streamlit_app.readings import performance as data
from streamlit_app.readings import source
from streamlit_app.sign_in import doorman
from tests.conftest import ROOT
from tests.signing_in import sign_in_page_test

PAGES = ["overview", "performance", "alerts"]


@pytest.fixture(autouse=True)
def fresh_caches():
    for cached in (source.settings, source.client, source._marts):
        cached.clear()
    doorman.forget()
    yield
    doorman.forget()
    for cached in (source.settings, source.client, source._marts):
        cached.clear()


def page(name: str, role: Role = Role.ADMIN) -> AppTest:
    file = ROOT / "streamlit_app" / "views" / f"{name}.py"
    shown = AppTest.from_file(str(file), default_timeout=60)
    return sign_in_page_test(shown, load_settings().home, role)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_without_any_source_says_what_to_start(
    name: str, settings: Settings, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    monkeypatch.setenv("TTA_MONITOR_LIVE__PORT", str(free_port))
    shown = page(name).run()
    assert not shown.exception
    words = " ".join(e.value for e in [*shown.info, *shown.warning])
    assert "monitor up" in words


def test_a_page_says_why_marts_are_not_newer(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    monkeypatch.setenv("TTA_MONITOR_LIVE__PORT", str(free_port))
    assert "disk" not in " ".join(c.value for c in page("overview").run().caption)
    with passes.one_pass(settings.home):
        begun = passes.begin(settings.home, "batch", datetime(2026, 3, 1, 12, tzinfo=UTC))
        how = passes.PassEnd(["marts"], ["the disk is full"])
        passes.end(settings.home, begun, how, datetime(2026, 3, 1, 12, 1, tzinfo=UTC))
    told = " ".join(c.value for c in page("overview").run().caption)
    assert "12:00 UTC failed" in told.replace("\\", "") and "the disk is full" in told


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("chosen", ["1 h", "7 d"])
def test_a_page_over_the_published_marts_draws(
    name: str, chosen: str, built: Settings, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    monkeypatch.setenv("TTA_MONITOR_HOME", str(built.home))
    monkeypatch.setenv("TTA_MONITOR_LIVE__PORT", str(free_port))
    monkeypatch.setattr(data, "since", lambda minutes: datetime(2026, 11, 23))
    shown = page(name)
    shown.query_params["range"] = chosen
    shown.run()
    assert not shown.exception
    if name == "performance":
        assert len(shown.dataframe) >= (4 if chosen == "7 d" else 3)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (float("nan"), "—"),
        (1920.4, "1,920 /s"),
        (0.0, "0 /s"),
        (12.34, "12.3 /s"),
        (0.42, "0.42 /s"),
    ],
)
def test_numbers_have_units_and_what_is_not_measured_is_a_dash(
    value: float | None, text: str
) -> None:
    assert formats.number(value, "/s") == text


def test_ages_durations_percentages_and_changes_read_like_words() -> None:
    assert [formats.age(s) for s in (None, 0.84, 48, 200, 7_500, 400_000)] == [
        "—", "0.8 s", "48 s", "3 min", "2 h 05", "4 d",
    ]  # fmt: skip
    assert [formats.duration_ms(v) for v in (None, 1.26, 318, 2_400, 90_000)] == [
        "—", "1.3 ms", "318 ms", "2.4 s", "90 s",
    ]  # fmt: skip
    assert [formats.percent(v) for v in (None, 2.41, 41.2)] == ["—", "2.4 %", "41 %"]
    assert formats.change(110, 100) == "+10 %"
    assert formats.change(2.5, 2.0, as_points=True) == "+0.5 pt"
    assert formats.change(None, 1) is None and formats.change(1, 0) is None
    assert formats.seconds_since(None, datetime.now(UTC)) is None


def frame(names: list[str]) -> pd.DataFrame:
    times = pd.date_range("2026-03-01", periods=4, freq="min", tz="UTC")
    return pd.DataFrame(
        [
            {"bucket_at": t, "component": n, "rate": i + 1.0}
            for i, n in enumerate(names)
            for t in times
        ]
    )


def test_a_component_keeps_its_colour_when_others_leave() -> None:
    known = ["a", "b", "c"]
    all_colours = charts.colour_scale(known, known, charts.LIGHT).to_dict()["range"]
    fewer = charts.colour_scale(["a", "c"], known, charts.LIGHT).to_dict()["range"]
    assert fewer == [all_colours[0], all_colours[2]]


def test_more_than_six_series_become_other() -> None:
    folded = charts.fold_series(frame([f"c{i}" for i in range(9)]), "component", "rate")
    assert len(folded["component"].unique()) == charts.MAX_SERIES
    assert charts.OTHER in set(folded["component"])
    small = frame(["a"])
    assert charts.fold_series(small, "component", "rate") is small


@pytest.mark.parametrize("look", [charts.LIGHT, charts.DARK])
def test_charts_render_to_a_picture(look: charts.Look) -> None:
    import vl_convert

    chart = charts.lines_over_time(
        frame(["a", "b"]), value="rate", series="component", unit="/s", look=look
    )
    times = pd.to_datetime(["2026-03-01T00:00Z", "2026-03-01T00:01Z"])
    bands = pd.DataFrame(
        {"bucket_at": times, "bucket_end_at": times + pd.Timedelta("1min"), "low_ms": [1.0, 10.0],
         "high_ms": [10.0, 100.0], "requests": [5, 7]}
    )  # fmt: skip
    for made in (chart, charts.latency_heat_map(bands, look=look)):
        png = vl_convert.vegalite_to_png(made.properties(width=300).to_json(), scale=1)
        assert png.startswith(b"\x89PNG")


def test_a_chart_is_described_once_and_as_it_would_be_with_its_data() -> None:
    def draw(rows) -> None:
        from streamlit_app.components import drawing

        drawing.lines_over_time(rows, value="rate", series="component", unit="/s")

    drawing._lines.cache_clear()
    for names in (["a", "b"], ["b", "a"]):
        shown = AppTest.from_function(draw, args=(frame(names),)).run()
        assert not shown.exception
    assert drawing._lines.cache_info().misses == 1
    (chart,) = shown.get("vega_lite_chart")
    whole = charts.lines_over_time(
        frame(["a", "b"]), value="rate", series="component", unit="/s", look=charts.LIGHT
    ).to_dict()
    drawn = json.loads(chart.proto.spec)
    assert drawn["layer"][0]["encoding"] == whole["layer"][0]["encoding"]
    assert "datasets" not in drawn and chart.proto.data.data


def test_lines_break_where_nothing_was_measured() -> None:
    rows = frame(["a", "b"])
    without = rows[~((rows["component"] == "a") & (rows["bucket_at"] == rows["bucket_at"].iloc[1]))]
    broken = charts.with_gaps(without, series="component", step_s=60)
    added = broken[broken["rate"].isna()]
    assert list(added["component"]) == ["a"]
    assert list(added["bucket_at"]) == [rows["bucket_at"].iloc[1]]
    assert charts.with_gaps(rows, series="component", step_s=60) is rows


def contrast(one: str, two: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("look", "floor"), [(charts.LIGHT, 5.0), (charts.DARK, 7.0)])
def test_colours_can_be_read(look: charts.Look, floor: float) -> None:
    assert contrast(look.critical, look.background) >= floor
    assert contrast(look.text, look.background) >= 7
    assert all(contrast(colour, look.background) >= 3 for colour in look.series)
