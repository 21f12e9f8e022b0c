"""Coming in, staying and leaving, in real Chromium and Firefox through the real door.

Everybody here enters as a person does: with a link that works once, or with name and password.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from privacy.access.access_policy import Role
from privacy.access.identities import Identities
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from streamlit_app.sign_in.doorman import COOKIE
from tests.browser import needs_browser, needs_firefox
from tests.firefox import Firefox, firefox
from tests.processes import Running, running
from tests.signing_in import link_to
from tests.visitors import Chromium, Visitor, chromium, is_at, reads, site, wait_for

pytestmark = pytest.mark.slow
PASSWORD = "correct horse battery staple"
PLAIN_NAME = "monitor.test"
"""A name that leads to this machine and that browsers do not trust as they trust loopback."""
Somebody = Callable[[], Visitor]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TTA_MONITOR_APP__HOSTS", f'["{PLAIN_NAME}"]')
        with running(tmp_path_factory.mktemp("door"), "streamlit") as processes:
            yield processes
            assert b"Traceback" not in processes.output()


@pytest.fixture(scope="module")
def identities(app: Running) -> Identities:
    home = app.settings.home
    keys = KeyStore.open(home)
    return Identities(home, keys, AuditLog(home, keys))


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("chromium", marks=needs_browser),
        pytest.param("firefox", marks=needs_firefox),
    ],
)
def browser(request: pytest.FixtureRequest) -> Iterator[Chromium | Firefox]:
    if request.param == "firefox":
        with firefox({"network.dns.localDomains": PLAIN_NAME}) as started:
            yield started
    else:
        with chromium(f"--host-resolver-rules=MAP {PLAIN_NAME} 127.0.0.1") as started:
            yield started


@pytest.fixture
def somebody(browser: Chromium | Firefox) -> Iterator[Somebody]:
    """Somebody at a browser of their own, anew at each call; all leave at the end."""
    yield browser.somebody
    browser.everybody_leaves()


@pytest.fixture
def ada(identities: Identities, request: pytest.FixtureRequest) -> str:
    """The name of an operator's account that no other test uses."""
    name = f"ada {request.node.name}"
    identities.accounts.add(name, PASSWORD, Role.OPERATOR, by="os:owner")
    return name


def signs_in(visitor: Visitor, name: str, password: str = PASSWORD) -> None:
    visitor.types("User name", name)
    visitor.types("Password", password)
    visitor.presses("Sign in")


def test_a_link_lets_in_once_and_says_so_the_second_time(app: Running, somebody: Somebody) -> None:
    link, first, second = link_to(app.settings.home, app.app), somebody(), somebody()
    first.opens(link)
    second.opens(link)
    first.presses("Sign in")
    is_at(first, "/overview")
    second.presses("Sign in")
    assert "was used or has expired" in reads(second, until="User name")
    second.opens(link)
    assert "was used or has expired" in reads(second, until="User name")
    assert COOKIE not in second.cookies() and COOKIE in first.cookies()
    assert not first.runs(f"document.cookie.includes({COOKIE!r})")


def test_a_password_lets_in_to_the_page_that_was_asked_for(
    app: Running, somebody: Somebody, ada: str
) -> None:
    visitor = somebody()
    visitor.opens(f"{app.app}/performance?range=15+min")
    reads(visitor, until="Sign in to continue.")
    signs_in(visitor, ada, "wrong horse battery staple")
    reads(visitor, until="Name or password is wrong")
    assert COOKIE not in visitor.cookies()
    signs_in(visitor, ada)
    is_at(visitor, "/performance?range=15+min")
    text = reads(visitor, until="Performance")
    assert "Privacy" not in text, "an operator's navigation has no page for privacy officers"


def test_whose_session_ends_is_led_out_and_back_to_the_page_that_was_open(
    app: Running, somebody: Somebody, identities: Identities, ada: str
) -> None:
    visitor = somebody()
    visitor.opens(f"{app.app}/performance?range=6+h")
    signs_in(visitor, ada)
    reads(visitor, until="Performance")
    identities.accounts.change(ada, by="os:owner", password=f"{PASSWORD} anew")
    text = reads(visitor, until="Your session has ended.")
    assert "Performance" not in text
    signs_in(visitor, ada, f"{PASSWORD} anew")
    is_at(visitor, "/performance?range=6+h")


def test_signing_out_ends_every_tab_and_nothing_comes_back(
    app: Running, somebody: Somebody, ada: str
) -> None:
    visitor = somebody()
    visitor.opens(f"{app.app}/sign-in?next=/account")
    signs_in(visitor, ada)
    reads(visitor, until="Signed in as")
    other = visitor.another_tab()
    other.opens(f"{app.app}/account")
    reads(other, until="Signed in as")
    visitor.presses("Sign out")
    reads(visitor, until="You are signed out.")
    reads(other, until="Your session has ended.")
    visitor.goes_back()
    assert "Signed in as" not in reads(visitor, until="Sign in to continue.")


def test_whoever_is_in_already_opens_a_link_without_spending_it(
    app: Running, somebody: Somebody, identities: Identities, ada: str
) -> None:
    visitor = somebody()
    visitor.opens(f"{app.app}/sign-in?next=/account")
    signs_in(visitor, ada)
    is_at(visitor, "/account")
    link = link_to(app.settings.home, app.app)
    visitor.opens(link)
    reads(visitor, until="You are signed in already.")
    visitor.presses("Go on")
    is_at(visitor, "/overview")
    assert identities.links.is_good(link.partition("link=")[2])
    visitor.opens(f"{link}&next=/account")
    visitor.presses("Sign in anew with this link")
    assert "admin" in reads(visitor, until="Signed in as link:")


def test_a_name_that_browsers_do_not_trust_lets_in_as_well(
    app: Running, somebody: Somebody
) -> None:
    visitor = somebody()
    port = app.settings.app.port
    visitor.opens(link_to(app.settings.home, f"http://{PLAIN_NAME}:{port}"))
    visitor.presses("Sign in")
    is_at(visitor, "/overview")
    reads(visitor, until="Overview")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_page_of_another_site_or_port_gets_nothing_done(
    app: Running, somebody: Somebody, identities: Identities, ada: str, host: str
) -> None:
    visitor = somebody()
    visitor.opens(f"{app.app}/sign-in?next=/account")
    signs_in(visitor, ada)
    reads(visitor, until="Signed in as")
    link = link_to(app.settings.home, app.app)
    with stranger(app, link) as port:
        visitor.opens(f"http://{host}:{port}/")
        wait_for(partial(visitor.runs, "window.hung_up || null"), lambda: "still connected", 60)
        assert not visitor.runs("window.heard")
        visitor.presses("Win a prize")
        reads(visitor, until="This form came from another site")
        assert identities.links.is_good(link.partition("link=")[2])
        visitor.opens(f"http://{host}:{port}/")
        visitor.presses("Leave")
        reads(visitor, until="Do you want to sign out?")
        visitor.presses("Stay")
        reads(visitor, until="Overview")


@contextmanager
def stranger(app: Running, link: str) -> Iterator[int]:
    """Another site on this machine, whose page would use a visitor's session; its port."""
    page = f"""<!doctype html><form method="post" action="{link}"><button>Win a prize</button></form>
      <a href="{app.app}/sign-out">Leave</a><script>
      const wire = new WebSocket("{app.app.replace("http", "ws")}/_stcore/stream", ["streamlit"]);
      wire.onmessage = () => {{ window.heard = true }};
      wire.onclose = () => {{ window.hung_up = true }};</script>""".encode()

    with site(page) as port:
        yield port
