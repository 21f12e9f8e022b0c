"""Pages over a live window and a published copy that hold the same made-up hour, and over neither.

Here: the hour, and opening a page of it. Times of the hour are absolute and the window reaches back ten hours: a
suite that takes long finds them as they were.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dagster_project.process.build import run_build
from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.settings import Settings, load_settings
from ingestion.spool import Spool
from live_tail.http.client import LiveUnavailable
from live_tail.window.follow import Follower
from live_tail.window.window import Window
from privacy.access.access_policy import Role
from privacy.keys.key_store import KeyStore
from streamlit_app.page_files import FILES
from streamlit_app.readings import source
from streamlit_app.sign_in import doorman
from streamlit_app.view import View
from tests.signing_in import sign_in_page_test
from tests.streamlit_app.readings.test_readings import RANGE, Answers, _sent

HOUR: View = RANGE
Opened = Callable[..., AppTest]
_LONG, _SHORT = 600, 1


class Hour:
    """The home, and what its live window answers; `silent` are queries that it does not answer."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.silent: set[str] = set()
        spool = Spool(settings.spool_path, KeyStore.open(settings.home))
        window = Window(minutes=_LONG, max_errors=1_000, clock=lambda: datetime.now(UTC))
        follower = Follower(spool, window)
        while follower.step():
            pass
        window.tidy()
        self._answers = Answers(window, follower)

    def query(self, name: str, **parameters: Any) -> Any:
        if name in self.silent or "*" in self.silent:
            raise LiveUnavailable("the live tail does not answer: run `./tta.sh monitor up`.")
        return self._answers.query(name, **parameters)

    def get(self, path: str) -> Any:
        return self._answers.get(path)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Hour:
    """A home into which the hour was received, and built once."""
    folder = tmp_path_factory.mktemp("pages") / "home"
    folder.mkdir()
    keys = KeyStore.open(folder, create=True)
    settings = load_settings(folder)
    pipeline = Pipeline(Spool(settings.spool_path, keys), keys)
    sent = _sent()
    for start in range(0, len(sent), 64):
        pipeline.process(sent[start : start + 64])
    report = run_build(settings)
    assert report.ok, report
    return Hour(settings)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    for cached in (source.settings, source.client, source._marts):
        cached.clear()
    doorman.forget()
    yield
    doorman.forget()
    source._marts.clear()


@pytest.fixture
def hour(filled: Hour, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hour]:
    """Pages read the hour, from the live window."""
    monkeypatch.setenv("TTA_MONITOR_HOME", str(filled.settings.home))
    _reaching(monkeypatch, filled.settings, _LONG)
    monkeypatch.setattr(source, "client", lambda: filled)
    yield filled
    filled.silent.clear()


@pytest.fixture
def past(hour: Hour, monkeypatch: pytest.MonkeyPatch) -> Hour:
    """Pages read the hour from the published copy: the window does not reach it."""
    _reaching(monkeypatch, hour.settings, _SHORT)
    return hour


@pytest.fixture
def nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Pages read a home into which nothing came yet: the live tail answers, nothing is published."""
    Spool(settings.spool_path, KeyStore.open(settings.home))
    _reaching(monkeypatch, settings, _LONG)
    answers = Hour(settings)
    monkeypatch.setattr(source, "client", lambda: answers)
    return settings


def _reaching(monkeypatch: pytest.MonkeyPatch, settings: Settings, minutes: int) -> None:
    live = settings.live.model_copy(update={"window_minutes": minutes})
    monkeypatch.setattr(source, "settings", lambda: settings.model_copy(update={"live": live}))


@pytest.fixture
def opened() -> Opened:
    """Open a page, with the hour as its range and further parameters."""

    def open_page(name: str, role: Role = Role.ADMIN, **params: str) -> AppTest:
        file = FILES[name]
        shown = AppTest.from_file(str(file), default_timeout=180)
        sign_in_page_test(shown, source.settings().home, role)
        for key, value in {**HOUR.params(), **params}.items():
            shown.query_params[key] = value
        shown.run()
        assert not shown.exception
        return shown

    return open_page
