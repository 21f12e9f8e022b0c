"""The pages in a real browser, from an event to what a person reads."""

import random
import time
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page

from tests.bench.load import request_body
from tests.browser import browser_page, needs_browser
from tests.processes import Running, running

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


@needs_browser
@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_event_reaches_the_open_page_without_a_reload(tmp_path: Path, scheme: str) -> None:
    chance = random.Random(7)
    with running(tmp_path, "ingestion.receivers", "live_tail", "streamlit") as processes:
        send_requests(processes, 900, chance)
        with browser_page(f"{processes.app}/?range=15+min", tmp_path, scheme=scheme) as page:
            errors: list[str] = []
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.wait_for_selector(_REQUESTS)
            assert seconds_until_shown(page, processes, chance) < 30
            # Home has an address of its own, which holds the range and can be opened again.
            assert page.url.endswith("/overview?range=15+min")
            page.goto(page.url)
            page.wait_for_selector(_REQUESTS)
            assert page.locator("text=Page not found").count() == 0
            page.goto(f"{processes.app}/performance?range=15+min")
            page.wait_for_selector("text=Latency percentiles")
            assert page.locator("[data-testid=stException]").count() == 0
            assert errors == []
        assert b"Traceback" not in processes.output()
