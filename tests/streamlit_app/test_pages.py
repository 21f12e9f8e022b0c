"""Pages in every state, without a browser; formats and charts as pure functions."""

from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from ingestion.processes import passes
from ingestion.settings import Settings, load_settings
from privacy.access.access_policy import Role
from streamlit_app.components import formats
from streamlit_app.page_files import FILES
from streamlit_app.readings import performance as data
from streamlit_app.readings import source
from streamlit_app.sign_in import doorman
from tests.pages import tables, words
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
    file = FILES[name]
    shown = AppTest.from_file(str(file), default_timeout=60)
    return sign_in_page_test(shown, load_settings().home, role)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_without_any_source_says_what_to_start(
    name: str, settings: Settings, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    monkeypatch.setenv("TTA_MONITOR_LIVE__PORT", str(free_port))
    shown = page(name).run()
    assert not shown.exception
    assert "monitor up" in words(shown)


def test_a_page_says_why_marts_are_not_newer(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    monkeypatch.setenv("TTA_MONITOR_LIVE__PORT", str(free_port))
    assert "disk" not in words(page("overview").run())
    with passes.one_pass(settings.home):
        begun = passes.begin(settings.home, "batch", datetime(2026, 3, 1, 12, tzinfo=UTC))
        how = passes.PassEnd(["marts"], ["the disk is full"])
        passes.end(settings.home, begun, how, datetime(2026, 3, 1, 12, 1, tzinfo=UTC))
    told = words(page("overview").run())
    assert "12:00 UTC failed" in told and "the disk is full" in told


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
    if name == "performance":
        shown.query_params["from"] = "2026-11-23T00:00:00Z"
        shown.query_params["to"] = "2026-12-23T00:00:00Z"
    shown.run()
    assert not shown.exception
    if name == "performance":
        assert len(tables(shown)) >= 2


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
