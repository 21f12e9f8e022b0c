"""A real headless Chromium, where the machine has one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.signing_in import sign_in_browser


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
def browser_page(url: str, *, scheme: str = "light", home: Path | None = None) -> Iterator[Page]:
    """A page that is opened and shows something; signed in to a data home when one is given."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            page = browser.new_page(color_scheme=scheme, viewport={"width": 1440, "height": 1000})
            if home:
                sign_in_browser(page, home, url)
            page.goto(url)
            page.wait_for_selector(
                "[data-testid=stMetricValue], [data-testid=stCaptionContainer], form button"
            )
            yield page
        finally:
            browser.close()
