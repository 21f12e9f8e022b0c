"""The Reports page with full, empty, stale, failed and forbidden data; making one from it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dagster_project.reporting import keeping, making
from dagster_project.reporting.keeping import Entry
from dagster_project.reporting.making_aside import Made
from dagster_project.reporting.rendering.all_formats import FORMS
from dagster_project.reporting.rendering.json_text import as_json
from ingestion.settings import Settings, load_settings
from privacy.access.access_policy import Role
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from streamlit_app.actions import reports as deeds
from streamlit_app.page_files import FILES
from streamlit_app.readings import reports as readings
from streamlit_app.readings import source
from streamlit_app.sign_in import doorman
from tests.pages import links, tables, tiles, title, words
from tests.reports import DAY, document
from tests.signing_in import sign_in_page_test

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
CACHES = (source.settings, source.client, source._marts)


@pytest.fixture(autouse=True)
def fresh_caches(monkeypatch: pytest.MonkeyPatch, free_port: int):
    monkeypatch.setenv("TTA_MONITOR_LIVE__PORT", str(free_port))
    monkeypatch.setattr(readings, "now", lambda: NOW)
    for cached in CACHES:
        cached.clear()
    doorman.forget()
    yield
    doorman.forget()
    for cached in CACHES:
        cached.clear()


@pytest.fixture
def full(settings: Settings, keys: KeyStore) -> dict[str, Entry]:
    """One edition of each audience."""
    return {
        kind: kept(settings, kind=kind, audience=audience)
        for kind, audience in (("daily-operations", "operations"), ("monthly-privacy", "privacy"))
    }


def kept(settings: Settings, **changed: Any) -> Entry:
    one = document(**changed)
    entry = Entry(
        one.kind, one.period.label, NOW - timedelta(hours=8), "service:reports", "made", one.audience,
        DAY.last, one.edition, one.state, one.verdict,
    )  # fmt: skip
    keeping.keep(settings, one, dict.fromkeys(FORMS, b"x") | {"json": as_json(one)}, entry)
    keeping.note(settings, entry)
    return entry


def page(role: Role = Role.OPERATOR, **query: str) -> AppTest:
    file = FILES["reports"]
    shown = AppTest.from_file(str(file), default_timeout=90)
    sign_in_page_test(shown, load_settings().home, role)
    for name, value in query.items():
        shown.query_params[name] = value
    shown.run()
    assert not shown.exception
    return shown


def test_an_empty_home_says_what_would_fill_the_page(settings: Settings) -> None:
    told = words(page())
    assert "No reports in this range." in told and "The first is made when a day is over" in told
    assert "2026-11-29 is due and not made yet." in told


def test_an_edition_is_shown_with_its_verdict_numbers_tables_and_charts(
    settings: Settings, full: dict[str, Entry]
) -> None:
    shown = page()
    told = words(shown)
    assert title(shown) == "Reports"
    assert "The objective was met, with alerts" in told and "made 8 h 00 ago" in told
    assert tiles(shown)["Availability"].startswith("99.53 %") and tiles(shown)["AI calls"] == "—"
    components = next(t for t in tables(shown) if t and "Share, %" in t[0])
    assert components[0] == {"Name": "api", "Share, %": "1.25", "Count": "1,200"}
    assert components[1]["Share, %"] == "—"
    assert len(shown.get("vega_lite_chart")) == 2
    assert "No alert fired." in told
    assert "edition=" in links(shown)["2026-11-29"]


def test_the_numbers_of_the_page_are_those_of_the_file(
    settings: Settings, full: dict[str, Entry]
) -> None:
    entry = full["daily-operations"]
    said = json.loads(keeping.file_of(settings, entry, "json").read_bytes())
    shown = tiles(page(edition=entry.edition))
    assert [f["name"] for f in said["figures"]] == list(shown)


def test_four_formats_can_be_taken_away(settings: Settings, full: dict[str, Entry]) -> None:
    labels = [b.label for b in page().get("download_button")]
    assert labels == ["PDF", "CSV", "JSON", "HTML"]


@pytest.mark.parametrize(
    ("role", "own", "hidden"),
    [
        (Role.OPERATOR, "Daily operations", "monthly privacy"),
        (Role.PRIVACY_OFFICER, "Monthly privacy", "daily operations"),
    ],
)
def test_a_role_sees_the_reports_of_its_audience_and_why_it_does_not_see_others(
    settings: Settings, full: dict[str, Entry], role: Role, own: str, hidden: str
) -> None:
    shown = page(role)
    told = words(shown)
    assert "Your role does not see this report." in told and own in told
    assert hidden not in told
    foreign = full["monthly-privacy" if role is Role.OPERATOR else "daily-operations"]
    assert "There is no such edition" in words(page(role, edition=foreign.edition))


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.RESEARCHER])
def test_other_roles_do_not_open_the_page(
    settings: Settings, full: dict[str, Entry], role: Role
) -> None:
    shown = page(role)
    assert title(shown) == "" and "may not use page reports" in words(shown)


def test_why_a_report_failed_is_said_beside_the_newest_that_there_is(
    settings: Settings, full: dict[str, Entry]
) -> None:
    for outcome, reason in (("failed", "the copy is older."), ("empty", "nothing is known of it.")):
        keeping.note(
            settings,
            Entry("daily-operations", "2026-11-30", NOW, "service:reports", outcome, "operations",
                  NOW.date(), reason=reason),
        )  # fmt: skip
        told = words(page())
        assert reason in told.lower() and "2026-11-29" in told


@pytest.mark.parametrize("content", [None, b"{}"])
def test_files_that_were_removed_or_altered_are_told(
    settings: Settings, full: dict[str, Entry], content: bytes | None
) -> None:
    file = keeping.file_of(settings, full["daily-operations"], "json")
    file.unlink() if content is None else file.write_bytes(content)
    assert "Its files were removed or altered" in words(page())


def test_hostile_names_are_texts_on_the_page(settings: Settings) -> None:
    kept(settings, verdict="Most failed in <script>alert(1)</script>.", tables=document(
        [("<img src=x onerror=alert(1)>", 1.0, 1)]).tables)  # fmt: skip
    shown = page()
    html = " ".join(e.proto.body for e in shown.get("html"))
    assert "<script>alert" not in html and "<img src=x" not in html
    assert "<script>alert(1)</script>" in words(shown)


def press(shown: AppTest, period: str) -> AppTest:
    next(t for t in shown.text_input if t.label == "Period").set_value(period)
    next(b for b in shown.button if b.label == "Make it now").click().run()
    assert not shown.exception
    return shown


def test_somebody_makes_one_and_sees_it(
    settings: Settings, keys: KeyStore, full: dict[str, Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []

    def aside(_: Settings, *what: str) -> Made:
        asked.append(what)
        return Made("2026-11-29", full["daily-operations"].edition, "same", "", [])

    monkeypatch.setattr(deeds, "make_aside", aside)
    shown = press(page(), "")
    assert asked == [("daily-operations", "2026-11-29", "user:u_test")]
    assert full["daily-operations"].edition in shown.query_params["edition"]
    assert "was there already" in shown.toast[0].value
    (entry,) = AuditLog(settings.home, keys).entries(action="access.action")
    assert (entry.target, entry.outcome) == ("report.make", "done")


def test_why_it_was_not_made_is_said_and_is_an_entry(
    settings: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def aside(*_: object) -> Made:
        raise making.ReportProblem("2026-12-09 has not begun.")

    monkeypatch.setattr(deeds, "make_aside", aside)
    assert "Not made: 2026-12-09 has not begun." in words(press(page(), "2026-12-09"))
    (entry,) = AuditLog(settings.home, keys).entries(action="access.action")
    assert entry.outcome == "refused"
