"""The pages in a real browser, from an event to what a person reads."""

import random
import time
from collections.abc import Iterator
from functools import partial
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Page

from streamlit_app.page_files import FILES
from tests.bench.load import request_body
from tests.browser import browser_page, needs_browser, needs_firefox
from tests.firefox import firefox
from tests.processes import Running, running
from tests.signing_in import link_to
from tests.visitors import Visitor, chromium, reads, wait_for

_IS_STILL = "!document.querySelector('[data-testid=stStatusWidgetRunningIcon]') || null"
_EXCEPTIONS = "document.querySelectorAll('[data-testid=stException]').length"
_CHARTS = "document.querySelectorAll('[data-testid=stVegaLiteChart] svg').length || null"
# The first card is the request rate.
_REQUESTS = ".tta-tile .tta-value"


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
        assert page.evaluate("location.pathname + location.search") == "/overview?range=15+min"
        page.goto(page.url)
        page.wait_for_selector(_REQUESTS)
        assert page.locator("text=Page not found").count() == 0
        assert errors == []


@needs_browser
@pytest.mark.slow
def test_a_row_a_drag_and_a_page_are_each_one_step_back_and_none_loads_the_app_anew(
    started: Running,
) -> None:
    chance, address = random.Random(8), f"{started.app}/overview?range=15+min"
    with browser_page(address, started.settings.home) as page:
        wait_for_chart(page)
        page.evaluate("window.isStillHere = true")
        steps = page.evaluate("history.length")
        page.locator(".tta-table tbody a").first.click()
        at(page, "/performance", "component=player-experience")
        page.go_back()
        at(page, "/overview", "range=15+min")
        wait_for_chart(page)
        box = page.locator("[data-testid=stVegaLiteChart]").last.bounding_box()
        assert box
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] * 0.5, middle)
        page.mouse.down()
        for share in (0.55, 0.6, 0.7, 0.8):
            page.mouse.move(box["x"] + box["width"] * share, middle)
            send_requests(started, 3, chance)
        page.mouse.up()
        at(page, "/overview", "from=")
        assert page.evaluate("history.length") == steps + 1
        page.go_back()
        at(page, "/overview", "range=15+min")
        page.locator("[data-testid=stSidebarNavLink]", has_text="Errors").click()
        at(page, "/errors", "range=15+min")
        page.go_back()
        at(page, "/overview", "range=15+min")
        assert page.evaluate("window.isStillHere") is True


def wait_for_chart(page: Page) -> None:
    """Until the second chart of the overview is drawn and the page rests."""
    page.wait_for_selector("[data-testid=stVegaLiteChart] svg >> nth=1", timeout=90_000)
    page.wait_for_selector(".tta-table tbody a", timeout=90_000)
    wait_for(lambda: page.evaluate(_IS_STILL), lambda: "the page never came to rest", 90)


def at(page: Page, path: str, query: str) -> None:
    """Until the address bar shows a page with these words in its query, and the page is drawn."""
    there = "location.pathname + location.search"
    wait_for(
        lambda: (path in (now := page.evaluate(there)) and query in now) or None,
        lambda: f"not at {path} with {query}: {page.evaluate(there)}",
        60,
    )
    page.wait_for_selector(f"h1:has-text('{path[1:].capitalize()}')", timeout=60_000)


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
    views = {f"/{name}" for name in FILES}
    assert views - {"/gallery"} <= {*found}
    return {**found, "/gallery": "Gallery"}
