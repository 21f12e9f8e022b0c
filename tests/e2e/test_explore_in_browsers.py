"""Explore through the real door: a link shows another role the same, a researcher takes home what is shown."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from privacy.access.access_policy import Role
from privacy.keys.key_store import KeyStore
from tests.browser import browser_page, needs_browser
from tests.processes import Running, running
from tests.published import REQUESTS, publish
from tests.visitors import wait_for

_RANGE = "from=2026-03-01T11:00:00Z&to=2026-03-01T12:00:00Z"
_CELLS = """[...document.querySelectorAll("[data-testid=stDataFrame] canvas [role=gridcell]")]
  .map((one) => one.textContent)"""
_FIGURES = """
    SELECT * FROM (VALUES ('2026-02-26', 41::BIGINT), ('2026-02-27', 38), ('2026-02-28', 44))
    AS t (period, count)"""
_PATIENCE_MS = 120_000


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("explore")
    KeyStore.open(home, create=True)
    with running(home, "streamlit") as processes:
        publish(processes.settings, "operations", {"fct_requests_minutely": REQUESTS})
        publish(processes.settings, "engagement", {"daily_active_players": _FIGURES})
        yield processes
        assert b"Traceback" not in processes.output()


def shown(page: Page) -> list[str]:
    """What stands in the cells of the answer, once it is drawn."""
    page.wait_for_selector("[data-testid=stDataFrame] canvas", timeout=_PATIENCE_MS)
    return wait_for(lambda: page.evaluate(_CELLS) or None, lambda: "no answer was drawn", 60)


def numbers(cells: list[str]) -> list[float]:
    """The last of each pair of cells."""
    return [float(cell.replace(",", "")) for cell in cells[1::2]]


def choose(page: Page, name: str, words: str) -> None:
    """An option of one of the form's lists."""
    page.locator(f".st-key-explore-{name}").get_by_role("combobox").click()
    page.get_by_role("option", name=words, exact=True).click()


@needs_browser
@pytest.mark.slow
def test_somebody_sends_a_link_and_another_role_sees_the_same(started: Running) -> None:
    home, address = started.settings.home, f"{started.app}/explore?{_RANGE}"
    with browser_page(address, home) as page:
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        shown(page)
        choose(page, "by", "component")
        page.wait_for_function(
            "() => location.search.includes('by=component')", timeout=_PATIENCE_MS
        )
        choose(page, "over", "in all")
        page.wait_for_function("() => location.search.includes('over=total')", timeout=_PATIENCE_MS)
        wait_for(
            lambda: shown(page)[:4] == ["web", "930", "api", "900"] or None,
            lambda: f"another answer: {page.evaluate(_CELLS)[:8]}",
            60,
        )
        sent = page.url
        steps = page.evaluate("history.length")
        page.go_back()
        page.wait_for_function(
            "() => !location.search.includes('over=total')", timeout=_PATIENCE_MS
        )
        assert page.evaluate("history.length") == steps and errors == []
    with browser_page(sent, home, role=Role.DEVELOPER) as page:
        assert shown(page)[:4] == ["web", "930", "api", "900"] and page.url == sent


@needs_browser
@pytest.mark.slow
def test_a_researcher_explores_and_both_files_hold_what_is_shown(
    started: Running, tmp_path: Path
) -> None:
    asked = "part=sql&sql=SELECT+period%2C+count+FROM+daily_active_players+ORDER+BY+1"
    home, address = started.settings.home, f"{started.app}/explore?{asked}"
    with browser_page(address, home, role=Role.RESEARCHER) as page:
        # The list of tables is folded away; the answer is the grid that can be seen.
        cells = wait_for(
            lambda: found if "2026-02-28" in (found := shown(page)) else None,
            lambda: f"no answer: {page.evaluate(_CELLS)[:12]}",
            120,
        )
        cells = cells[cells.index("2026-02-26") :]
        taken = {form: taken_home(page, form, tmp_path) for form in ("CSV", "JSON")}
    lines = [line for line in taken["CSV"].splitlines() if not line.startswith("#")]
    of_csv = [float(row["count"]) for row in csv.DictReader(lines)]
    of_json = [float(row["count"]) for row in json.loads(taken["JSON"])["data"]]
    assert of_csv == of_json == numbers(cells) == [41, 38, 44]
    assert "# of: engagement" in taken["CSV"]


def taken_home(page: Page, form: str, folder: Path) -> str:
    """The file of a form, through the menu beside the answer of a page that was just opened."""
    page.reload()
    shown(page)
    page.locator(".st-key-export-explore button").first.click()
    button = page.locator(f".st-key-export-explore-{form} button")
    with page.expect_download(timeout=_PATIENCE_MS) as download:
        button.click()
    path = folder / form
    download.value.save_as(path)
    return path.read_text()
