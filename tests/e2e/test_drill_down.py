"""From a figure to the call behind it, and back, in a real browser through the real door."""

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, TimeoutError

from tests.browser import browser_page, needs_browser
from tests.live_tail.window.recent import test_recent as made
from tests.processes import Running, running
from tests.visitors import wait_for

_IS_STILL = "!document.querySelector('[data-testid=stStatusWidgetRunningIcon]') || null"
_WHERE = "location.pathname + location.search"
_TRACE = bytes.fromhex("ab" * 16)
_MODEL = {"gen_ai__operation__name": "chat", "gen_ai__usage__input_tokens": 700,
          "gen_ai__usage__output_tokens": 90}  # fmt: skip


def ago(seconds: float) -> float:
    """So long ago, as `spans` counts seconds."""
    return (datetime.now(UTC) - made.NOW).total_seconds() - seconds


def requests() -> list[Any]:
    """Two routes: one quick, one of which a request failed with all that it asked of others."""
    quick = [made.request_of(n, ms=20, second=ago(150)) for n in range(1, 40)]
    story = {"http__method": "POST", "http__route": "/stories"}
    slow = [made.request_of(n, ms=700, second=ago(150), attributes=story) for n in range(40, 48)]
    failed = made.request_of(50, trace=_TRACE, ms=900, second=ago(150), is_error=True, attributes=story,
                             name="POST /stories")  # fmt: skip
    asked = {"number": 51, "trace": _TRACE, "parent": 50, "kind": 3, "ms": 30, "second": ago(149.9),
             "name": "SELECT scenes", "attributes": {"db__system": "postgresql"}}  # fmt: skip
    told = {"number": 52, "trace": _TRACE, "parent": 50, "kind": 3, "ms": 600, "second": ago(149.8), "name": "chat",
            "is_error": True, "attributes": {**_MODEL, "gen_ai__request__model": "slow-model"}}  # fmt: skip
    return [
        made.spans(*quick, *slow, failed, asked),
        made.spans(told, service="agent", version="2.0.0"),
    ]


def calls() -> Any:
    """Two models, of which one takes ten times as long."""
    return made.spans(
        *(
            {"number": 1_000 + n, "trace": (1_000 + n).to_bytes(16, "big"), "kind": 3, "second": ago(100),
             "ms": (1_000 if n % 2 else 100) + n / 10, "name": "chat",
             "attributes": {**_MODEL, "gen_ai__request__model": "slow-model" if n % 2 else "quick-model"}}
            for n in range(600)
        ),
        service="agent", version="2.0.0",
    )  # fmt: skip


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("drill")
    with running(home, "ingestion.receivers", "live_tail", "streamlit") as processes:
        headers = {"Content-Type": "application/x-protobuf"}
        for sent in [*requests(), calls()]:
            answer = httpx.post(f"{processes.http}/v1/traces", content=sent.body, headers=headers)
            answer.raise_for_status()
        yield processes
        assert b"Traceback" not in processes.output()


def at(page: Page, *parts: str, without: str = "nowhere=") -> None:
    """Until the address holds all parts and not the other, and the page rests."""

    def is_there() -> bool | None:
        where = page.evaluate(_WHERE)
        return (all(part in where for part in parts) and without not in where) or None

    wait_for(is_there, lambda: f"not at {parts}: {page.evaluate(_WHERE)}", 90)
    page.wait_for_selector(".tta-title h1", timeout=90_000)
    rests(page)


def rests(page: Page) -> None:
    wait_for(lambda: page.evaluate(_IS_STILL), lambda: "the page never came to rest", 120)


def row(page: Page, table: str, words: str) -> Any:
    """The link of the first row with these words, of the table that a reader hears announced so."""
    announced = page.locator(".tta-table", has=page.locator("caption", has_text=table))
    found = announced.locator("tbody tr", has_text=words).first.locator("a").first
    found.wait_for(timeout=120_000)
    return found


def click_minute(page: Page) -> None:
    """Click the latency chart where its requests are, until the address says which minute that is."""
    chart = page.locator("[data-testid=stVegaLiteChart] svg").nth(1)
    chart.wait_for(timeout=120_000)
    until = time.monotonic() + 120
    while "at=" not in page.evaluate(_WHERE):
        assert time.monotonic() < until, "a click on the chart chose no minute"
        rests(page)
        box = chart.bounding_box()
        assert box
        page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.5)
        # A second click too soon would choose a second time, and be one more step of the way back.
        with suppress(TimeoutError):
            page.wait_for_function("() => location.search.includes('at=')", timeout=10_000)


@needs_browser
@pytest.mark.slow
def test_from_a_minute_to_a_route_to_a_request_to_its_trace_and_back_step_by_step(
    started: Running,
) -> None:
    with browser_page(f"{started.app}/performance?range=15+min", started.settings.home) as page:
        page.evaluate("window.isStillHere = true")
        click_minute(page)
        at(page, "/performance", "at=")
        page.wait_for_selector("text=show the whole range")
        row(page, "Routes, slowest first", "POST /stories").click()
        at(page, "route=%2Fstories", "at=")
        page.wait_for_selector("text=Slow and failed requests of /stories", timeout=90_000)
        row(page, "Calls by route", "failed").click()
        at(page, "/traces", f"trace={_TRACE.hex()}", "back=performance")
        page.wait_for_selector(".tta-fall", timeout=90_000)
        told = page.inner_text("[data-testid=stMain]")
        assert "in chat of agent" in told and "Back to Performance" in told
        assert page.locator(".tta-span").count() == 3
        assert page.locator("i.tta-failed").count() == 2
        page.locator(".tta-span a", has_text="chat").click()
        at(page, "span=")
        page.wait_for_selector("text=gen_ai.request.model", timeout=90_000)
        left = [
            ("trace=", "span="),
            ("route=%2Fstories", "trace="),
            ("at=", "route="),
            ("range=15+min", "at="),
        ]
        for place, gone in left:
            page.go_back()
            at(page, place, without=gone)
        assert page.evaluate("window.isStillHere") is True


@needs_browser
@pytest.mark.slow
def test_the_slowest_model_is_found_and_compared_and_leads_to_its_slowest_call(
    started: Running,
) -> None:
    with browser_page(f"{started.app}/overview?range=15+min", started.settings.home) as page:
        page.locator("[data-testid=stSidebarNavLink]", has_text="AI models").click()
        at(page, "/ai_models")
        page.wait_for_selector("text=slow-model is slowest", timeout=120_000)
        said = page.inner_text("p[role=status] b")
        assert "times quick-model" in said and "intervals do not overlap" in said
        assert (
            "slower"
            in page.locator(".tta-table tbody tr", has_text="slow-model").first.inner_text()
        )
        row(page, "Models, slowest first", "slow-model").click()
        at(page, "model=slow-model")
        page.wait_for_selector("text=Slow and failed calls of slow-model", timeout=90_000)
        page.locator(".tta-table", has_text="Outcome").locator("tbody a").first.click()
        at(page, "/traces", "trace=", "back=ai_models")
        page.wait_for_selector(".tta-fall", timeout=90_000)
        assert "slow-model" in page.inner_text(".tta-fall")
        page.locator("nav a", has_text="Back to AI models").click()
        at(page, "/ai_models", "model=slow-model")


@needs_browser
@pytest.mark.slow
def test_a_trace_id_from_another_place_opens_its_trace(started: Running) -> None:
    with browser_page(f"{started.app}/overview?range=15+min", started.settings.home) as page:
        field = page.locator(".st-key-search-everything input")
        field.wait_for(timeout=90_000)
        field.fill(f"00-{_TRACE.hex().upper()}-00f067aa0ba902b7-01")
        field.press("Enter")
        page.locator(".tta-found a", has_text=_TRACE.hex()).first.click()
        at(page, "/traces", f"trace={_TRACE.hex()}")
        page.wait_for_selector(".tta-fall", timeout=90_000)
