"""A real headless Chromium, where the machine has one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, sync_playwright


def chromium_path() -> str | None:
    """The installed browser, or None."""
    return next(
        (
            p
            for name in ("chromium", "google-chrome", "chromium-browser")
            if (p := shutil.which(name))
        ),
        None,
    )


needs_browser = pytest.mark.skipif(
    chromium_path() is None, reason="no chromium: install it, or let make test install it"
)


@contextmanager
def browser_page(url: str, *, scheme: str = "light") -> Iterator[Page]:
    """A page that is opened and shows something."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            page = browser.new_page(color_scheme=scheme, viewport={"width": 1440, "height": 1000})
            page.goto(url)
            page.wait_for_selector("[data-testid=stMetricValue], [data-testid=stCaptionContainer]")
            yield page
        finally:
            browser.close()
