"""A page of the app in a real headless Chromium, entered as a person enters."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Page, ViewportSize

from privacy.access.access_policy import Role
from tests.firefox import firefox_path
from tests.signing_in import link_to
from tests.visitors import chromium, chromium_path

needs_browser = pytest.mark.skipif(
    chromium_path() is None, reason="no chromium: install it, or let make test install it"
)
needs_firefox = pytest.mark.skipif(
    firefox_path() is None, reason="no firefox: install it, or let make test install it"
)


@contextmanager
def browser_page(
    address: str, home: Path, *, scheme: Literal["dark", "light"] = "light", role: Role = Role.ADMIN
) -> Iterator[Page]:
    """A page that shows something, opened with a link that signs in."""
    with chromium() as running:
        size: ViewportSize = {"width": 1440, "height": 1000}
        page = running.browser.new_page(color_scheme=scheme, viewport=size)
        enter(page, address, home, role)
        page.wait_for_selector(".tta-title h1, [data-testid=stAlert]")
        yield page


def enter(page: Page, address: str, home: Path, role: Role = Role.ADMIN) -> None:
    """Open a link that signs in, press its button, and arrive at an address of the app."""
    there = urlsplit(address)
    onward = quote(f"{there.path or '/'}?{there.query}" if there.query else there.path or "/")
    page.goto(f"{link_to(home, f'http://{there.netloc}', role)}&next={onward}")
    page.get_by_role("button", name="Sign in").click()
