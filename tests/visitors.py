"""Somebody at a browser: opens addresses, reads, presses buttons, types; Chromium and Firefox alike.

Here: what a person does, and what the browser noticed meanwhile (whom it asked, what its policy stopped).
Not here: Firefox's protocol (`firefox`), and whose links they hold (`signing_in`).
"""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, Self, TypeVar
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Error, Page, sync_playwright

T = TypeVar("T")
QUIET = (
    "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update "
    "--disable-sync --no-first-run"
).split()
NOTE_VIOLATIONS = """
window.stopped = [];
document.addEventListener("securitypolicyviolation",
  (e) => window.stopped.push(e.effectiveDirective + " " + e.blockedURI), true);
"""
FIND = """(name) => [...document.querySelectorAll("button, a, [role=button], label")].find(
  (one) => one.offsetParent && one.innerText.trim() === name)"""
FIND_FIELD = """(label) => [...document.querySelectorAll("label")].find(
  (one) => one.innerText.trim() === label)?.querySelector("input")"""


class Visitor(Protocol):
    """One tab of somebody's browser."""

    def opens(self, address: str) -> None:
        """Type an address."""

    def presses(self, name: str) -> None:
        """Click a button or link, found by what stands on it."""

    def types(self, label: str, text: str) -> None:
        """Fill a field, found by its label."""

    def goes_back(self) -> None:
        """The back button."""

    def another_tab(self) -> Self:
        """A second tab of the same browser."""
        ...

    def runs(self, script: str) -> Any:
        """The value of an expression in the page."""

    def cookies(self) -> dict[str, str]:
        """What the browser keeps, by name; scripts see less."""
        ...

    @property
    def asked(self) -> set[str]:
        """Hosts that any page asked for anything."""
        ...


def reads(visitor: Visitor, *, until: str, seconds: float = 60) -> str:
    """The text of the page as soon as it holds these words."""

    def shown() -> str | None:
        text = visitor.runs("document.body.innerText") or ""
        return text if until in text else None

    return wait_for(shown, lambda: f"no {until!r} in time: {_looks(visitor)}", seconds)


def is_at(visitor: Visitor, path: str, seconds: float = 60) -> None:
    """Wait until the address bar shows this path and query."""

    def shown() -> str | None:
        there = urlsplit(visitor.runs("location.href") or "")
        found = f"{there.path}?{there.query}" if there.query else there.path
        return "yes" if found == path else None

    wait_for(shown, lambda: f"not at {path} in time: {_looks(visitor)}", seconds)


def wait_for(found: Callable[[], T | None], otherwise: Callable[[], str], seconds: float) -> T:
    """The first value that is not None."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = found()
        if value is not None:
            return value
        time.sleep(0.1)
    raise AssertionError(otherwise())


def _looks(visitor: Visitor) -> str:
    return f"{visitor.runs('location.href')} says {visitor.runs('document.body.innerText')!r:.600}"


class InChromium:
    """A tab of Chromium."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: set[str] = set()
        page.on("request", lambda request: self.asked.add(urlsplit(request.url).netloc))
        page.add_init_script(NOTE_VIOLATIONS)

    def opens(self, address: str) -> None:
        self.page.goto(address, wait_until="domcontentloaded")

    def presses(self, name: str) -> None:
        either = self.page.get_by_role("button", name=name, exact=True)
        either.or_(self.page.get_by_role("link", name=name, exact=True)).first.click()

    def types(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=True).fill(text)

    def goes_back(self) -> None:
        self.page.go_back(wait_until="domcontentloaded")

    def another_tab(self) -> "InChromium":
        return InChromium(self.page.context.new_page())

    def runs(self, script: str) -> Any:
        try:
            return self.page.evaluate(script)
        except Error:  # The page is being replaced by the next one.
            return None

    def cookies(self) -> dict[str, str]:
        return {str(c.get("name")): str(c.get("value")) for c in self.page.context.cookies()}


def chromium_path() -> str | None:
    """The installed browser, or None."""
    names = ("chromium", "google-chrome", "chromium-browser")
    return next((path for name in names if (path := shutil.which(name))), None)


class Chromium:
    """One running browser."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def somebody(self) -> InChromium:
        """A tab of somebody who shares no cookie with others."""
        return InChromium(self.browser.new_context().new_page())

    def everybody_leaves(self) -> None:
        """Close every tab and forget every cookie."""
        for context in self.browser.contexts:
            context.close()


@contextmanager
def chromium(*arguments: str) -> Iterator[Chromium]:
    """A headless Chromium that asks nobody for anything by itself."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=[*QUIET, *arguments]
        )
        try:
            yield Chromium(browser)
        finally:
            browser.close()


@contextmanager
def site(page: bytes) -> Iterator[int]:
    """A web site of somebody else's on this machine, with this one page; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
