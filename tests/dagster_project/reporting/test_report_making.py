"""Reports of a real home: made once, kept, found again, due, delivered; what goes wrong is told."""

import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import dagster as dg
import pytest

from dagster_project.defs.home import Home
from dagster_project.defs.reports import report_schedule, reports
from dagster_project.leaks.home_scan import scan_home
from dagster_project.reporting import keeping, making
from dagster_project.reporting.document.report_document import Document
from dagster_project.reporting.document.report_periods import Cadence, PeriodProblem
from dagster_project.reporting.keeping import Entry
from dagster_project.reporting.kinds import UnknownKind, kind_named
from dagster_project.reporting.kinds.report_source import NoData, ReportKind, Said, Source
from dagster_project.reporting.making_aside import Made, make_aside
from dagster_project.reporting.picture import PictureProblem
from dagster_project.reporting.rendering.all_formats import FORMS
from dagster_project.reporting.rendering.json_text import as_json, from_json
from ingestion.lake.duck import NotPublished, open_published
from ingestion.processes import passes
from ingestion.settings import Settings, load_settings
from ingestion.settings.sources import SettingsProblem
from privacy.keys.key_store import KeyStore
from tests.reports import DAY, document

DAILY = kind_named("daily-operations")
NOW = datetime(2026, 11, 30, 6, 20, tzinfo=UTC)
DUE = making.Due(DAILY, DAY)


@pytest.fixture
def quick(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home in which the report of a day says what a test says, and nothing is drawn."""
    monkeypatch.setattr(making, "document_of", lambda *_: document())
    monkeypatch.setattr(
        making, "rendered", lambda one: dict.fromkeys(FORMS, b"x") | {"json": as_json(one)}
    )
    return settings


def make(settings: Settings, keys: KeyStore, by: str = "user:u_1") -> Entry:
    return making.make(settings, keys, DUE, by=by, now=NOW)


def failing(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    def fail(*_: object) -> Document:
        raise problem

    monkeypatch.setattr(making, "document_of", fail)


def published(settings: Settings, at: datetime) -> None:
    import os

    for audience in ("operations", "privacy"):
        path = settings.published_path(audience)
        path.parent.mkdir(exist_ok=True)
        path.touch()
        os.utime(path, (at.timestamp(), at.timestamp()))


def test_files_lie_by_the_last_day_of_their_period_for_the_owner_alone(
    quick: Settings, keys: KeyStore
) -> None:
    made = make(quick, keys)
    files = [keeping.file_of(quick, made, form) for form in FORMS]
    folder = quick.home / "reports" / "2026" / "11" / "29"
    assert [f.name for f in files] == [f"daily-operations-{made.edition}.{form}" for form in FORMS]
    assert {f.parent for f in files} == {folder}
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}
    assert sorted(folder.iterdir()) == sorted(files)


def test_the_same_data_leave_the_first_edition_as_it_was(
    quick: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make(quick, keys)
    content = keeping.file_of(quick, first, "json").read_bytes()
    later = document(generated_at=NOW + timedelta(hours=1), as_of=NOW)
    monkeypatch.setattr(making, "document_of", lambda *_: later)
    again = make(quick, keys, by="user:u_2")
    assert (again.outcome, again.edition) == ("same", first.edition)
    assert keeping.file_of(quick, first, "json").read_bytes() == content
    assert [e.outcome for e in keeping.history(quick)] == ["same", "made"]
    make(quick, keys, by="user:u_2")
    assert len(keeping.history(quick)) == 2


def test_an_edition_of_which_a_file_is_missing_is_made_again(
    quick: Settings, keys: KeyStore
) -> None:
    made = make(quick, keys)
    keeping.file_of(quick, made, "csv").unlink()
    assert not keeping.is_kept(quick, made)
    assert make(quick, keys).outcome == "made"
    assert keeping.made_of(quick, DAILY.name, DAY.label) is not None


@pytest.mark.parametrize(
    ("problem", "outcome"),
    [
        (NoData("nothing is known."), "empty"),
        (NotPublished("nothing is published."), "failed"),
        (making.ReportProblem("the copy is older."), "failed"),
        (PictureProblem("the picture was not drawn."), "failed"),
    ],
)
def test_why_there_is_none_is_in_the_history(
    quick: Settings,
    keys: KeyStore,
    monkeypatch: pytest.MonkeyPatch,
    problem: Exception,
    outcome: str,
) -> None:
    failing(monkeypatch, problem)
    for _ in range(2):
        with pytest.raises(making.REFUSALS, match=str(problem)):
            make(quick, keys)
    (entry,) = keeping.history(quick)
    assert (entry.outcome, entry.reason, entry.is_there) == (outcome, str(problem), False)


@pytest.mark.parametrize("content", [b"", b"[{}]", b"{", b'[{"kind": 1}]'])
def test_a_history_that_cannot_be_read_remembers_nothing_and_is_written_anew(
    quick: Settings, keys: KeyStore, content: bytes
) -> None:
    quick.reports_path.mkdir()
    (quick.reports_path / "history.json").write_bytes(content)
    assert keeping.history(quick) == []
    make(quick, keys)
    assert len(keeping.history(quick)) == 1


def test_a_period_that_has_not_begun_is_refused_and_one_that_runs_is_told(
    settings: Settings,
) -> None:
    with pytest.raises(
        PeriodProblem, match=r"2026-12-01 has not begun: the newest .* is 2026-11-29"
    ):
        making.period_of(settings, DAILY, "2026-12-01", NOW)
    running = making.period_of(settings, DAILY, "2026-11-30", NOW)
    assert running.start_at < NOW < running.end_at
    assert making.period_of(settings, DAILY, "", NOW) == DAY


def test_nothing_is_due_in_an_empty_home_and_what_is_over_once_it_is_published(
    quick: Settings, keys: KeyStore
) -> None:
    assert making.due(quick, NOW) == []
    published(quick, NOW)
    labels = {(d.kind.name, d.period.label) for d in making.due(quick, NOW)}
    assert labels == {
        ("daily-operations", "2026-11-29"), ("weekly-reliability", "2026-W48"), ("monthly-privacy", "2026-10"),
    }  # fmt: skip
    make(quick, keys)
    assert "daily-operations" not in {d.kind.name for d in making.due(quick, NOW)}
    assert making.due(quick, NOW + timedelta(days=1))[0].period.label == "2026-11-30"


def test_a_report_waits_for_marts_that_something_is_on_its_way_to(
    quick: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(quick, DAY.end_at - timedelta(minutes=5))
    monkeypatch.setattr(making, "has_news", lambda _: "3 received batches wait")
    assert DAILY not in [d.kind for d in making.due(quick, NOW)]
    monkeypatch.setattr(making, "has_news", lambda _: None)
    assert DAILY in [d.kind for d in making.due(quick, NOW)]


def test_a_period_with_nothing_to_say_is_asked_once_and_one_that_failed_again(
    quick: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(quick, NOW)
    failing(monkeypatch, making.ReportProblem("the copy is older."))
    with pytest.raises(making.ReportProblem):
        make(quick, keys)
    assert DAILY in [d.kind for d in making.due(quick, NOW)]
    failing(monkeypatch, NoData("nothing is known."))
    with pytest.raises(NoData):
        make(quick, keys)
    assert DAILY not in [d.kind for d in making.due(quick, NOW)]


def test_only_what_is_enabled_is_made_by_itself(quick: Settings) -> None:
    published(quick, NOW)
    weekly = load_settings(quick.home, reports={"kinds": ["weekly-reliability"]})
    assert [d.kind.name for d in making.due(weekly, NOW)] == ["weekly-reliability"]
    assert making.due(load_settings(quick.home, reports={"kinds": []}), NOW) == []
    with pytest.raises(UnknownKind):
        making.due(load_settings(quick.home, reports={"kinds": ["hourly"]}), NOW)


def test_a_zone_that_is_none_is_told_at_start(home: Path) -> None:
    (home / "config.yaml").write_text("reports: {zone: Atlantis}")
    with pytest.raises(SettingsProblem, match=r"reports\.zone is wrong: it must be an IANA zone"):
        load_settings(home)


def test_the_schedule_asks_for_what_is_due_and_for_nothing_else(
    quick: Settings, keys: KeyStore
) -> None:
    home = Home(lambda: quick, clock=lambda: NOW)

    def tick() -> object:
        return report_schedule(dg.build_schedule_context(resources={"home": home}))

    quiet = tick()
    assert isinstance(quiet, dg.SkipReason) and "has been made" in str(quiet.skip_message)
    published(quick, NOW)
    asked = tick()
    assert isinstance(asked, dg.RunRequest)
    assert {key.path[-1] for key in asked.asset_selection or []} == {
        "daily_operations", "weekly_reliability", "monthly_privacy",
    }  # fmt: skip
    with passes.one_pass(quick.home):
        assert isinstance(tick(), dg.SkipReason)


def test_an_asset_makes_its_report_and_a_failure_says_why(
    quick: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def here(settings: Settings, kind: str, period: str, by: str) -> Made:
        assert (kind, period) == ("daily-operations", "2026-11-29")
        made = make(settings, keys, by)
        return Made(made.period, made.edition, made.outcome, made.verdict, list(made.delivered))

    monkeypatch.setattr("dagster_project.defs.reports.make_aside", here)
    home = Home(lambda: quick, clock=lambda: NOW)
    daily = reports[0]

    def run() -> dg.ExecuteInProcessResult:
        return dg.materialize([daily], resources={"home": home}, raise_on_error=False)

    (made,) = run().asset_materializations_for_node("reports__daily_operations")
    assert (made.metadata["period"].value, made.metadata["outcome"].value) == ("2026-11-29", "made")
    assert keeping.history(quick)[0].by == "service:reports"
    failing(monkeypatch, NoData("nothing is known of 2026-11-29."))
    (empty,) = run().asset_materializations_for_node("reports__daily_operations")
    assert empty.metadata["reason"].value == "nothing is known of 2026-11-29."
    failing(monkeypatch, making.ReportProblem("the published copy is older than this report."))
    failed = run()
    assert not failed.success


class _Hook(BaseHTTPRequestHandler):
    got: ClassVar[list[tuple[dict[str, str], dict]]] = []
    status: ClassVar[int] = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        _Hook.got.append((dict(self.headers), json.loads(body)))
        self.send_response(_Hook.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def hook(quick: Settings) -> Iterator[Path]:
    """A file with the address of a webhook that keeps what it gets."""
    _Hook.got, _Hook.status = [], 200
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hook)
    Thread(target=server.serve_forever, daemon=True).start()
    file = quick.home / "hook.url"
    file.write_text(f"http://127.0.0.1:{server.server_port}/secret\n")
    file.chmod(0o600)
    yield file
    server.shutdown()
    server.server_close()


def delivering_to(quick: Settings, *files: str, to: str = "*") -> Settings:
    return load_settings(quick.home, reports={"deliver": {to: list(files)}})


def test_a_webhook_gets_the_whole_report_once(quick: Settings, keys: KeyStore, hook: Path) -> None:
    settings = delivering_to(quick, "hook.url")
    made = make(settings, keys)
    assert made.delivered == ("hook.url: delivered",)
    assert keeping.history(settings)[0].delivered == made.delivered
    ((headers, content),) = _Hook.got
    assert from_json(json.dumps(content).encode()) == document()
    assert headers["Idempotency-Key"] == made.edition
    make(settings, keys)
    assert len(_Hook.got) == 1


def test_a_report_with_addresses_of_its_own_goes_to_these_alone(
    quick: Settings, keys: KeyStore, hook: Path
) -> None:
    settings = load_settings(
        quick.home, reports={"deliver": {"*": ["hook.url"], "daily-operations": []}}
    )
    assert make(settings, keys).delivered == () and _Hook.got == []


def test_a_delivery_that_fails_is_told_without_the_address(
    quick: Settings, keys: KeyStore, hook: Path
) -> None:
    _Hook.status = 500
    open_to_all = quick.home / "open.url"
    open_to_all.write_text("http://127.0.0.1:1/secret")
    open_to_all.chmod(0o644)
    nobody = quick.home / "nobody.url"
    nobody.write_text("nothing-that-apprise-knows")
    nobody.chmod(0o600)
    settings = delivering_to(quick, "hook.url", "open.url", "missing.url", "nobody.url")
    made = make(settings, keys)
    assert made.outcome == "made" and made.delivered == (
        "hook.url: not delivered (HTTP 500)",
        "open.url: not delivered (the file can be read by others: chmod 600 it)",
        "missing.url: not delivered (the file cannot be read (FileNotFoundError))",
        "nobody.url: not delivered (Apprise does not know this kind of address)",
    )
    assert "secret" not in (settings.reports_path / "history.json").read_text()


def test_mail_and_the_like_get_the_pdf(
    quick: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    import apprise

    sent: list[dict] = []
    monkeypatch.setattr(apprise.Apprise, "notify", lambda _, **what: not sent.append(what))
    file = quick.home / "mail.url"
    file.write_text("mailtos://somebody:secret@example.org")
    file.chmod(0o600)
    made = make(delivering_to(quick, "mail.url"), keys)
    assert made.delivered == ("mail.url: delivered",)
    assert sent[0]["title"] == "Daily operations, 2026-11-29"
    assert "Availability: 99.53 % +0.33 pt" in sent[0]["body"]
    assert sent[0]["attach"] == str(keeping.file_of(quick, made, "pdf"))


@pytest.mark.slow
def test_reports_of_the_capture_agree_with_its_marts_and_leak_nothing(
    built: Settings, tmp_path: Path
) -> None:
    import shutil

    home = tmp_path / "home"
    shutil.copytree(built.home, home, ignore=shutil.ignore_patterns("*.sock"))
    settings, keys = load_settings(home), KeyStore.open(home)
    con = open_published(settings, "operations")
    at, _ = con.execute("SELECT max(minute_at), 1 FROM fct_requests_minutely").fetchall()[0]
    day, now = at.date().isoformat(), at.replace(tzinfo=UTC) + timedelta(days=1)
    period = making.period_of(settings, DAILY, day, now)
    made = making.make(settings, keys, making.Due(DAILY, period), by="user:u_1", now=now)
    said = json.loads(keeping.file_of(settings, made, "json").read_bytes())
    calls = con.execute(
        "SELECT sum(call_count)::BIGINT FROM fct_ai_calls_minutely WHERE minute_at::DATE = ?::DATE",
        [day],
    ).fetchall()[0][0]
    assert {f["name"]: f["value"] for f in said["figures"]}["AI calls"] == calls
    parts = next(f for f in said["tables"] if f["title"] == "Components")["rows"]
    counted = con.execute(
        "SELECT component, sum(request_count)::BIGINT FROM fct_requests_minutely WHERE minute_at::DATE ="
        " ?::DATE AND NOT regexp_matches(route, 'health|metrics|read') GROUP BY 1", [day],
    ).fetchall()  # fmt: skip
    assert {row[0]: row[1] for row in parts} == dict(counted)
    # The capture was recorded on one day and arrived on another, which may be of another month.
    landed, _ = con.execute("SELECT max(hour_at), 1 FROM fct_landed_items_hourly").fetchall()[0]
    now = max(now, landed.replace(tzinfo=UTC) + timedelta(days=1))
    for name in ("weekly-reliability", "monthly-privacy"):
        kind = kind_named(name)
        label = landed.strftime("%Y-%m") if name == "monthly-privacy" else day
        due = making.Due(kind, making.period_of(settings, kind, label, now))
        making.make(settings, keys, due, by="user:u_1", now=now)
    con.close()
    report = scan_home(settings, keys, artefacts=())
    assert [f for f in report.findings if f.place.startswith("reports")] == []


@pytest.mark.slow
def test_a_report_made_aside_says_what_is_wrong_in_words(
    settings: Settings, keys: KeyStore
) -> None:
    for kind, period, words in (
        ("daily-operations", "2020-01-01", "nothing is published for operations yet"),
        ("daily-operations", "tomorrow", "that is no period"),
        ("hourly", "", "choose one of"),
    ):
        with pytest.raises(making.ReportProblem, match=words):
            make_aside(settings, kind, period, "user:u_1")


def test_a_copy_that_is_older_than_the_report_is_told(
    settings: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    import duckdb

    def old(*_: object) -> duckdb.DuckDBPyConnection:
        con = duckdb.connect()
        con.execute("CREATE TABLE meta_builds AS SELECT TIMESTAMP '2026-11-30' AS built_at")
        return con

    monkeypatch.setattr(making, "open_published", old)
    with pytest.raises(making.ReportProblem, match="older than this report"):
        making.document_of(settings, keys, DUE, NOW)


def test_a_kind_is_added_by_one_module(
    settings: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    import duckdb

    def say(_: Source, __: object) -> Said:
        return Said("ok", "All is well.", document().figures, (), (), ())

    def copy(*_: object) -> duckdb.DuckDBPyConnection:
        con = duckdb.connect()
        con.execute("CREATE TABLE meta_builds AS SELECT TIMESTAMP '2026-11-30' AS built_at")
        return con

    monkeypatch.setattr(making, "open_published", copy)
    own = ReportKind("daily-carbon", "Daily carbon", "Carbon.", Cadence.DAILY, "operations", say)
    made = making.document_of(settings, keys, making.Due(own, DAY), NOW)
    assert (made.kind, made.verdict, made.is_over) == ("daily-carbon", "All is well.", True)
