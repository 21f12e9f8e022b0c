"""Settings: what is in force and from where, and a change that is checked, written by an admin, and noted."""

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from ingestion.settings import Settings
from privacy.access.access_policy import Role
from streamlit_app.readings import source
from streamlit_app.readings.arriving import arrivals
from streamlit_app.sign_in import doorman
from tests.live_answers import LiveAnswers
from tests.pages import tables, title, words
from tests.streamlit_app.test_pages import fresh_caches, page  # noqa: F401


@pytest.fixture(autouse=True)
def home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setattr(source, "client", LiveAnswers())
    arrivals.forget()
    yield settings


def opened(role: Role = Role.ADMIN, **params: str) -> AppTest:
    shown = page("settings", role)
    for name, value in params.items():
        shown.query_params[name] = value
    shown.run()
    assert not shown.exception
    return shown


def pressed(shown: AppTest, label: str) -> AppTest:
    next(b for b in shown.button if b.label == label).click().run()
    assert not shown.exception
    return shown


def test_what_somebody_set_stands_first_with_its_place(home: Settings) -> None:
    (home.home / "config.yaml").write_text(
        "warehouse: {keep_runs: 7}\nreceiver: {tokens: {api: abcdefgh12345678}}\n"
    )
    shown = opened()
    rows = {row["Setting"]: row for row in tables(shown)[0]}
    assert list(rows)[:2] == ["receiver.tokens", "warehouse.keep_runs"]
    assert rows["warehouse.keep_runs"]["Where"] == "config.yaml, line 1"
    assert rows["receiver.tokens"]["Value"] == "secret, 1 set" and "abcdefgh" not in words(shown)


def test_a_file_that_is_not_taken_says_why(home: Settings) -> None:
    (home.home / "alerting.yaml").write_text("channels: 7\n")
    told = words(opened())
    assert "not taken" in told and "alerting.yaml" in told and "policy.yaml" in told


def test_a_wrong_change_is_named_and_a_right_one_written_with_an_entry(home: Settings) -> None:
    file = home.home / "config.yaml"
    shown = opened(part="live")
    shown.text_area[0].set_value("live: {window_minutes: many, bogus: 1}")
    told = words(pressed(shown, "Check"))
    assert "live.window_minutes is wrong" in told and "no setting live.bogus" in told
    assert "live.window_minutes is wrong" in words(pressed(shown, "Save")) and not file.exists()
    shown.text_area[0].set_value("live: {window_minutes: 30}")
    assert "It would be taken" in words(pressed(shown, "Check")) and not file.exists()
    assert "Saved. Taken when live-tail, app start again" in words(pressed(shown, "Save"))
    assert file.read_text() == "live: {window_minutes: 30}\n"
    entries = [
        e for e in doorman.log().entries(action="access.action") if e.target == "settings.change"
    ]
    assert {(e.details["section"], e.outcome) for e in entries} == {
        ("live", "refused"),
        ("live", "done"),
    }
    assert not any("30" in str(e.details.values()) for e in entries)


def test_an_operator_reads_and_changes_nothing(home: Settings) -> None:
    shown = opened(Role.OPERATOR, part="live")
    assert tables(shown)[0] and not shown.text_area
    assert "Your role does not see changing settings" in words(shown)


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.RESEARCHER, Role.PRIVACY_OFFICER])
def test_other_roles_do_not_open_it(role: Role) -> None:
    shown = opened(role)
    assert title(shown) == "" and "may not use page settings" in words(shown)


def test_a_file_that_is_not_yaml_is_told_where_it_would_be_changed(home: Settings) -> None:
    shown = opened(part="live")
    (home.home / "config.yaml").write_text("live: [\n")
    assert "not YAML" in words(shown.run())
