"""The pages in a real browser, from an event to what a person reads."""

import random
import time
from collections.abc import Iterator
from functools import partial
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Page

from tests.bench.load import request_body
from tests.browser import browser_page, needs_browser, needs_firefox
from tests.conftest import ROOT
from tests.firefox import firefox
from tests.processes import Running, running
from tests.signing_in import link_to
from tests.visitors import Visitor, chromium, reads, wait_for

_IS_STILL = "!document.querySelector('[data-testid=stStatusWidgetRunningIcon]') || null"
_EXCEPTIONS = "document.querySelectorAll('[data-testid=stException]').length"
_CHARTS = "document.querySelectorAll('[data-testid=stVegaLiteChart] svg').length || null"
# The first card is the request rate.
_REQUESTS = "[data-testid=stMetricValue]"


def send_requests(processes: Running, count: int, chance: random.Random) -> None:
    """So many requests of one component, acknowledged."""
    body = request_body([chance.randbytes(8) for _ in range(count)], chance)
    headers = {"Content-Type": "application/x-protobuf"}
    httpx.post(f"{processes.http}/v1/traces", content=body, headers=headers).raise_for_status()


def seconds_until_shown(page: Page, processes: Running, chance: random.Random) -> float:
    """From sending requests to the moment the card on the open page shows another number."""
    before = page.inner_text(_REQUESTS)
    started = time.perf_counter()
    send_requests(processes, 900, chance)
    page.wait_for_function(
        "([css, before]) => document.querySelector(css)?.innerText !== before",
        arg=[_REQUESTS, before],
        polling=20,
    )
    return time.perf_counter() - started


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("pages")
    with running(home, "ingestion.receivers", "live_tail", "streamlit") as processes:
        send_requests(processes, 900, random.Random(6))
        yield processes
        assert b"Traceback" not in processes.output()


@needs_browser
@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_event_reaches_the_open_page_without_a_reload(
    started: Running, scheme: Literal["light", "dark"]
) -> None:
    chance, address = random.Random(7), f"{started.app}/?range=15+min"
    with browser_page(address, started.settings.home, scheme=scheme) as page:
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.wait_for_selector(_REQUESTS)
        assert seconds_until_shown(page, started, chance) < 30
        # Home has an address of its own, which holds the range and can be opened again.
        assert page.url.endswith("/overview?range=15+min")
        page.goto(page.url)
        page.wait_for_selector(_REQUESTS)
        assert page.locator("text=Page not found").count() == 0
        assert errors == []


@needs_browser
@pytest.mark.slow
def test_a_row_that_is_clicked_opens_once_while_requests_keep_coming(started: Running) -> None:
    chance, address = random.Random(8), f"{started.app}/performance?range=15+min"
    with browser_page(address, started.settings.home) as page:
        table = page.locator("[data-testid=stDataFrame]").first
        table.wait_for()
        box = table.bounding_box()
        assert box
        send_requests(started, 30, chance)
        page.mouse.click(box["x"] + 14, box["y"] + 52)
        page.wait_for_url("**component=player-experience**")
        # The row stays closed when somebody goes back to all of them.
        wait_for(lambda: page.evaluate(_IS_STILL), lambda: "the page never came to rest", 90)
        page.locator("[data-testid=stSelectbox] input").first.click()
        page.get_by_role("option", name="All components").click()
        page.wait_for_url(lambda url: "component=" not in url)
        send_requests(started, 30, chance)
        page.wait_for_timeout(4_000)
        assert "component=" not in page.url


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("chromium", marks=needs_browser),
        pytest.param("firefox", marks=needs_firefox),
    ],
)
def test_every_page_draws_and_asks_nobody_but_the_app(started: Running, kind: str) -> None:
    stopped: list[str] = []
    with firefox() if kind == "firefox" else chromium() as browser:
        visitor = browser.somebody()
        visitor.opens(link_to(started.settings.home, started.app))
        visitor.presses("Sign in")
        # By its address, so that each page begins with an empty browser tab and its own policy.
        for path, words in _names_of_pages(visitor).items():
            visitor.opens(f"{started.app}{path}")
            reads(visitor, until=words)
            is_still = partial(visitor.runs, _IS_STILL)
            wait_for(is_still, lambda at=path: f"{at} never came to rest", 90)
            assert visitor.runs(_EXCEPTIONS) == 0, path
            stopped += [f"{path}: {what}" for what in visitor.runs("window.stopped")]
            if words == "Performance":
                charts = partial(visitor.runs, _CHARTS)
                wait_for(charts, lambda: "no chart was drawn under the policy", 60)
        assert stopped == []
        assert visitor.asked == {started.app.removeprefix("http://")}


def _names_of_pages(visitor: Visitor) -> dict[str, str]:
    """Path and name of every page that the navigation offers."""
    links = """[...document.querySelectorAll("[data-testid=stSidebarNavLink]")]
      .map((one) => [new URL(one.href).pathname, one.innerText.trim()])"""

    def named() -> list[list[str]] | None:
        return visitor.runs(links) or None

    found = dict(wait_for(named, lambda: "the app has no navigation", 90))
    views = {f"/{f.stem}" for f in (ROOT / "streamlit_app" / "views").glob("[a-z]*.py")}
    assert views <= {*found, "/"}
    return found
