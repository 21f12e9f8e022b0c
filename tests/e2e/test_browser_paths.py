"""The main paths through the pages in a real browser: from what is wrong to why, and what is done about it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Page

from privacy.access.access_policy import Role
from tests.browser import browser_page, needs_browser
from tests.e2e.test_browser import at
from tests.live_tail.window.test_hot_errors import span_body
from tests.processes import Running, running

_LONG_MS = 90_000
_TRACES = "a[href^='/traces?']"
_RELEASE = "a[title='How this release does']"
_BANNER = ".st-key-banners"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The product with a component whose content delivery fails in release 1.0.0."""
    home = tmp_path_factory.mktemp("paths")
    with running(home, "ingestion.receivers", "live_tail", "streamlit") as processes:
        for number in range(1, 6):
            body = span_body(number=number, at=datetime.now(UTC), value=str(number)).body
            headers = {"Content-Type": "application/x-protobuf"}
            httpx.post(
                f"{processes.http}/v1/traces", content=body, headers=headers
            ).raise_for_status()
        yield processes
        assert b"Traceback" not in processes.output()


@needs_browser
@pytest.mark.slow
def test_an_operator_goes_from_the_banner_to_the_alert_its_errors_a_trace_and_resolves_it(
    started: Running,
) -> None:
    home = started.settings.home
    with browser_page(f"{started.app}/overview", home, role=Role.OPERATOR) as page:
        page.locator(f"{_BANNER} a", has_text="Content delivery fails").click(timeout=_LONG_MS)
        at(page, "/alerts", "alert=")
        page.get_by_role("link", name="Open the error group").first.click(timeout=_LONG_MS)
        at(page, "/errors", "group=")
        assert _query_of(page, _TRACES).keys() >= {"trace", "range"}
        page.go_back()
        at(page, "/alerts", "alert=")
        _presses(page, "Acknowledge")
        page.wait_for_selector(_BANNER, state="detached", timeout=_LONG_MS)
        _presses(page, "Resolve")
        page.locator("td", has_text="Resolved").first.wait_for(timeout=_LONG_MS)
        page.get_by_role("link", name="All alerts").click()
        at(page, "/alerts", "")
        assert (
            page.locator("[class*=st-key-cause-]", has_text="Content delivery fails").count() == 0
        )


@needs_browser
@pytest.mark.slow
def test_a_developer_goes_from_an_error_to_its_trace_and_to_its_release(started: Running) -> None:
    home = started.settings.home
    with browser_page(f"{started.app}/errors", home, role=Role.DEVELOPER) as page:
        page.locator(".tta-table tbody a", has_text="SceneError").first.click(timeout=_LONG_MS)
        at(page, "/errors", "group=")
        (trace,) = _query_of(page, _TRACES)["trace"]
        assert len(trace) == 32
        page.locator(_RELEASE).first.click(timeout=_LONG_MS)
        at(page, "/performance", "version=1.0.0")
        page.go_back()
        at(page, "/errors", "group=")
        page.get_by_role("link", name="All errors").click()
        page.wait_for_function("!location.search.includes('group=')", timeout=_LONG_MS)


def _query_of(page: Page, link: str) -> dict[str, list[str]]:
    """Parameters of the address of the first such link."""
    page.wait_for_selector(link, timeout=_LONG_MS)
    return parse_qs(urlsplit(page.locator(link).first.get_attribute("href") or "").query)


def _presses(page: Page, name: str) -> None:
    """A button of the alert's card, with the keyboard alone."""
    button = page.locator("[class*=st-key-episode-]").get_by_role("button", name=name)
    button.wait_for(timeout=_LONG_MS)
    button.focus()
    page.keyboard.press("Enter")
