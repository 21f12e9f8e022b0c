"""Who knocks at the app's door in these tests: a browser, and an identity provider with an app that knows it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from ingestion.settings import Settings
from privacy.audit.audit_log import AuditEntry
from streamlit_app.readings import source
from streamlit_app.sign_in import doorman, provider
from streamlit_app.sign_in.door import Door
from streamlit_app.sign_in.entrance import routes
from tests.identity_provider import SECRET, Provider, identity_provider
from tests.streamlit_app.sign_in.browser import Browser

APP = "http://127.0.0.1:8501"


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with identity_provider() as found:
        yield found


@pytest.fixture
def there(running: Provider) -> Provider:
    """The provider as it answers when nothing is wrong."""
    running.claims, running.algorithm, running.signs_with = {}, "RS256", None
    running.is_down = False
    running.redirect_uri = f"{APP}{doorman.FROM_PROVIDER}"
    return running


@pytest.fixture
def app(
    settings: Settings, there: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    secret = tmp_path / "client-secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    chosen = json.dumps(there.settings(str(secret)))
    monkeypatch.setenv("TTA_MONITOR_ACCESS__OIDC", chosen)
    doorman.forget()
    provider.forget()
    served = Starlette(
        routes=[*routes(), Route("/{path:path}", lambda _: PlainTextResponse("fact"))],
        middleware=[Middleware(Door)],
    )
    person = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
    yield TestClient(served, base_url=APP, follow_redirects=False, headers=person)
    doorman.forget()
    provider.forget()


def at_provider(app: TestClient, onward: str = "/performance") -> str:
    """Go to the provider and sign in there; the address to come back to."""
    away = app.get(doorman.TO_PROVIDER, params={"next": onward})
    assert away.status_code == 302, away.text
    back = httpx.post(away.headers["location"])
    return back.headers["location"].removeprefix(APP)


def sign_in(app: TestClient) -> Any:
    return app.get(at_provider(app))


def entries(action: str) -> list[AuditEntry]:
    return doorman.log().entries(action=action)


@pytest.fixture
def browser(settings: Settings) -> Iterator[Browser]:
    for cached in (source.settings, source.client, source._marts):
        cached.clear()
    doorman.forget()
    yield Browser()
    doorman.forget()
