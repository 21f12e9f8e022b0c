"""The whole product in a person's hands: demo traffic and more, a real browser, every page, two batches.

Here: some minutes of it with a batch each minute. Not here: what it costs (`make bench`).
"""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from ingestion.processes.passes import Pass, read_health
from tests.browser import needs_browser
from tests.e2e.operator import Operator
from tests.processes import ROOT
from tests.visitors import InChromium, chromium, is_at, wait_for

_MORE = ("--rate", "10", "--seed", "7")
_NAVIGATION = "[data-testid=stSidebarNavLink]"
_IS_RUNNING = "document.querySelector('[data-testid=stStatusWidgetRunningIcon]')"


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    someone = Operator(tmp_path / "home", WAREHOUSE__BUILD_EVERY_MINUTES="1")
    yield someone
    someone.types("down")


@pytest.fixture
def more_traffic(operator: Operator) -> Iterator[None]:
    """Ten requests a second besides the demo's, until the test ends."""
    simulator = [sys.executable, "-m", "tta_monitor.simulator", "--home", str(operator.home)]
    with subprocess.Popen(
        [*simulator, *_MORE],
        cwd=ROOT, env=operator.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as sender:  # fmt: skip
        yield
        sender.terminate()


def _good_passes(operator: Operator) -> list[Pass]:
    return [p for p in read_health(operator.home).passes if (p.job, p.outcome) == ("batch", "ok")]


def _open_every_page(page: Page) -> list[str]:
    """The names in the navigation; each page comes to rest and shows no exception."""
    names = [link.inner_text().strip() for link in page.locator(_NAVIGATION).all()]
    for number, name in enumerate(names):
        page.locator(_NAVIGATION).nth(number).click()
        page.wait_for_timeout(500)
        page.wait_for_function(f"!{_IS_RUNNING}", timeout=60_000)
        assert not page.locator("[data-testid=stException]").count(), name
    return names


@needs_browser
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("more_traffic")
def test_somebody_lives_with_it_while_traffic_never_pauses(operator: Operator) -> None:
    started = operator.types("up", "--demo", "--detach")
    assert started.returncode == 0, started.stderr
    (link,) = re.findall(r"http\S+/sign-in\?link=\S+", started.stdout)
    ready_at = time.time()
    with chromium() as browser:
        visitor = browser.somebody()
        assert isinstance(visitor, InChromium)
        visitor.opens(link)
        visitor.presses("Sign in")
        is_at(visitor, "/overview")
        visitor.page.locator(_NAVIGATION).first.wait_for()
        assert len(_open_every_page(visitor.page)) >= 5
        wait_for(
            lambda: _good_passes(operator)[1:2] or None,
            lambda: f"no second pass in time: {read_health(operator.home)}",
            240,
        )
        # Once more, now that there are marts.
        _open_every_page(visitor.page)
        assert visitor.asked == {f"127.0.0.1:{operator.ports['APP__PORT']}"}

    assert all(p.outcome in {"ok", "running"} for p in read_health(operator.home).passes)
    published = operator.home / "published" / "operations.duckdb"
    assert published.stat().st_mtime > ready_at
    told = operator.types("status")
    assert told.returncode == 0, told.stdout
    assert "stopped" in operator.types("down").stdout
    left = [p for p in operator.processes() if not p.endswith(" ".join(_MORE))]
    assert left == []
