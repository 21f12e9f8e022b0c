"""`report run`, `list`, `show`: what they print, exit codes, who may, the entry in the audit log."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from dagster_project.reporting import making
from dagster_project.reporting.kinds.report_source import NoData
from dagster_project.reporting.rendering.all_formats import FORMS
from dagster_project.reporting.rendering.json_text import as_json
from ingestion.settings import Settings
from privacy.access.access_policy import ADMINISTRATOR, Role
from privacy.access.identities import Identities
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from tests.reports import document
from tests.tta_monitor.test_cli import monitor
from tta_monitor.cli import app
from tta_monitor.console import permission
from tta_monitor.console.problems import Problem


@pytest.fixture
def made_up(settings: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home in which every report says the same, and nothing is drawn."""
    monkeypatch.setattr(
        making,
        "document_of",
        lambda _, __, due, now: document(
            kind=due.kind.name, audience=due.kind.audience, period=due.period
        ),
    )
    monkeypatch.setattr(
        making, "rendered", lambda one: dict.fromkeys(FORMS, b"x\n") | {"json": as_json(one)}
    )
    return settings


def run(*line: str) -> Result:
    return CliRunner().invoke(app, ["report", *line])


def problem(done: Result) -> Problem:
    assert isinstance(done.exception, Problem), done.exception
    return done.exception


def test_a_report_is_made_listed_and_shown(made_up: Settings, keys: KeyStore) -> None:
    assert "None has been made yet" in run("list").output
    made = run("run", "daily-operations", "--period", "2026-11-29")
    assert made.exit_code == 0, made.output
    assert "99.53 % of 1,920 requests" in made.output and "+0.33 pt" in made.output
    (entry,) = AuditLog(made_up.home, keys).entries(action="report.")
    assert (entry.action, entry.target, entry.outcome) == (
        "report.make",
        "daily-operations",
        "done",
    )
    assert entry.details["period"] == "2026-11-29" and entry.actor == "os:owner"
    again = run("run", "daily-operations", "--period", "2026-11-29")
    assert "This edition was there already." in again.output
    told = json.loads(run("list", "--json").output)
    assert [m["outcome"] for m in told["made"]] == ["same", "made"]
    edition = told["made"][0]["edition"]
    assert edition in run("list").output
    for name in ("daily-operations", edition, edition[:6]):
        assert edition in run("show", name).output
    assert json.loads(run("show", edition, "--format", "json").output)["edition"] == edition
    assert run("show", edition, "--format", "csv").output == "x\n"


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (["run", "hourly"], 2, "choose one of daily-operations"),
        (["run", "daily-operations", "--period", "2999-01-01"], 2, "has not begun"),
        (["run", "daily-operations", "--period", "soon"], 2, "a day such as 2026-11-29"),
        (["run", "daily-operations"], 1, "nothing is published for operations yet"),
        (["show", "daily-operations"], 2, "`./tta.sh monitor report list` names those"),
        (["show", "abcd", "--format", "xml"], 2, "--format must be"),
    ],
)
def test_what_is_wrong_is_said_with_its_fix(
    settings: Settings, keys: KeyStore, line: list[str], code: int, words: str
) -> None:
    told = problem(run(*line))
    assert told.code == code and words in str(told)


def test_a_period_without_data_ends_with_one_and_is_listed(
    made_up: Settings, monkeypatch: pytest.MonkeyPatch, keys: KeyStore
) -> None:
    def nothing(*_: object) -> None:
        raise NoData("nothing is known of 2026-11-28: there are no data yet.")

    monkeypatch.setattr(making, "document_of", nothing)
    told = problem(run("run", "daily-operations", "--period", "2026-11-28"))
    assert told.code == 1 and "no data yet" in str(told)
    assert "no data yet" in run("list").output
    (entry,) = AuditLog(made_up.home, keys).entries(action="report.")
    assert entry.outcome == "refused"


@pytest.fixture
def come(made_up: Settings, keys: KeyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    log = AuditLog(made_up.home, keys)
    identities = Identities(made_up.home, keys, log)

    def as_role(role: Role) -> None:
        token, secret = identities.tokens.create(role, days=1, by="os:owner")
        file = tmp_path / f"{token.id}.token"
        file.write_text(secret + "\n")
        monkeypatch.setenv("TTA_MONITOR_ACCESS__TOKEN_FILE", str(file))

    yield as_role
    permission._Caller.who = ADMINISTRATOR


@pytest.mark.parametrize(
    ("role", "own", "other"),
    [
        (Role.OPERATOR, "daily-operations", "monthly-privacy"),
        (Role.PRIVACY_OFFICER, "monthly-privacy", "daily-operations"),
        (Role.ADMIN, "weekly-reliability", "monthly-privacy"),
    ],
)
def test_a_role_makes_and_reads_the_reports_of_its_audience_and_no_other(
    come, role: Role, own: str, other: str
) -> None:
    period = f"{datetime.now(UTC).year - 1}-03-02"
    for kind in (own, other):
        assert run("run", kind, "--period", period).exit_code == 0
    come(role)
    assert run("run", own, "--period", period).exit_code == 0
    assert problem(run("run", other, "--period", period)).code == 3
    assert run("show", own).exit_code == 0
    assert problem(run("show", other)).code == 3
    told = json.loads(run("list", "--json").output)
    assert own in {m["kind"] for m in told["made"]} and other not in {
        m["kind"] for m in told["made"]
    }


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.DESIGNER, Role.RESEARCHER])
def test_other_roles_make_none(come, role: Role) -> None:
    come(role)
    for line in (["list"], ["run", "daily-operations"], ["show", "daily-operations"]):
        assert problem(run(*line)).code == 3


def test_an_error_is_one_sentence_and_no_traceback(settings: Settings, keys: KeyStore) -> None:
    done = monitor("report", "run", "hourly", home=settings.home)
    assert done.returncode == 2 and done.stderr.startswith("error: there is no such report")
    assert "Traceback" not in done.stderr
