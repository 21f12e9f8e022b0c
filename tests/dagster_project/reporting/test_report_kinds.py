"""What each kind says, over small marts that are known whole."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from dagster_project.reporting.document.report_periods import Cadence, ReportPeriod
from dagster_project.reporting.kinds import UnknownKind, kind_named, kinds
from dagster_project.reporting.kinds.report_source import NoData, Said, Source
from dagster_project.reporting.kinds.weekly_reliability import Budget
from ingestion.settings import Settings
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from privacy.retention import receipts
from privacy.retention.receipts import Receipt

_TABLES = """
CREATE TABLE fct_requests_minutely (component VARCHAR, route VARCHAR, method VARCHAR, minute_at TIMESTAMP,
    request_count BIGINT, error_count BIGINT, duration_ms_max DOUBLE, latency_histogram MAP(INTEGER, BIGINT));
CREATE TABLE fct_ai_calls_minutely (model VARCHAR, provider VARCHAR, minute_at TIMESTAMP, call_count BIGINT,
    error_count BIGINT, input_tokens BIGINT, output_tokens BIGINT, duration_ms_max DOUBLE,
    latency_histogram MAP(INTEGER, BIGINT));
CREATE TABLE fct_errors_hourly (group_key VARCHAR, component VARCHAR, hour_at TIMESTAMP, error_count BIGINT);
CREATE TABLE dim_error_groups (group_key VARCHAR, title VARCHAR, exception_type VARCHAR, culprit VARCHAR,
    first_seen_at TIMESTAMP, state VARCHAR);
CREATE TABLE fct_alert_episodes (rule VARCHAR, component VARCHAR, severity VARCHAR, is_acted_on BOOLEAN,
    is_reopened BOOLEAN, started_at TIMESTAMP, fired_at TIMESTAMP, acknowledged_at TIMESTAMP,
    resolved_at TIMESTAMP, updated_at TIMESTAMP);
CREATE TABLE dim_releases (component VARCHAR, version VARCHAR, environment VARCHAR, first_seen_at TIMESTAMP);
CREATE TABLE fct_landed_items_hourly (signal VARCHAR, hour_at TIMESTAMP, arrived_items BIGINT,
    accepted_items BIGINT, rejected_items BIGINT, dropped_items BIGINT, duplicate_items BIGINT,
    landed_items BIGINT);
CREATE TABLE fct_gate_decisions_hourly (component VARCHAR, field VARCHAR, treatment VARCHAR,
    hour_at TIMESTAMP, value_count BIGINT);
"""
NOON = datetime(2026, 11, 25, 12)
DAY = ReportPeriod(Cadence.DAILY, date(2026, 11, 25))
WEEK = ReportPeriod(Cadence.WEEKLY, date(2026, 11, 23))
MONTH = ReportPeriod(Cadence.MONTHLY, date(2026, 11, 1))


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    made = duckdb.connect()
    made.execute(_TABLES)
    yield made
    made.close()


@pytest.fixture
def source(con: duckdb.DuckDBPyConnection, settings: Settings, keys: KeyStore) -> Source:
    return Source(con, settings, keys)


def requests(
    con: duckdb.DuckDBPyConnection, at: datetime, count: int, failed: int, *, component: str = "api",
    route: str = "/play",
) -> None:  # fmt: skip
    con.execute(
        "INSERT INTO fct_requests_minutely VALUES (?, ?, 'GET', ?, ?, ?, 20.0, MAP {115: ?})",
        [component, route, at, count, failed, count],
    )


def alert(
    con: duckdb.DuckDBPyConnection, fired: datetime, minutes: int | None, severity: str = "critical"
) -> None:
    ended = None if minutes is None else fired + timedelta(minutes=minutes)
    con.execute(
        "INSERT INTO fct_alert_episodes VALUES ('Down', 'api', ?, true, false, ?, ?, ?, ?, ?)",
        [severity, fired, fired, fired + timedelta(minutes=2), ended, fired],
    )


def numbers(said: Said) -> dict[str, float | None]:
    return {f.name: f.value for f in said.figures}


def rows(said: Said, title: str) -> list[tuple]:
    return list(next(t for t in said.tables if t.title == title).rows)


def test_kinds_have_five_numbers_a_method_and_an_audience(source: Source, con) -> None:
    requests(con, NOON, 10, 0)
    con.execute("INSERT INTO fct_gate_decisions_hourly VALUES ('api', 'f', 'keep', ?, 1)", [NOON])
    for kind, period in zip(kinds().values(), (DAY, WEEK, MONTH), strict=True):
        said = kind.say(source, period)
        assert len(said.figures) == 5 and said.method and said.verdict.endswith(".")
        assert kind.audience in {"operations", "privacy"}


def test_an_unknown_kind_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnknownKind, match="choose one of daily-operations, weekly-reliability"):
        kind_named("hourly")


def test_a_day_counts_its_minutes_and_no_other(source: Source, con) -> None:
    start, end = datetime(2026, 11, 25), datetime(2026, 11, 26)
    minute = timedelta(minutes=1)
    for at, count in ((start - minute, 7), (start, 100), (end - minute, 300), (end, 5)):
        requests(con, at, count, count // 100)
    requests(con, NOON, 1_000, 0, route="/health")
    said = kind_named("daily-operations").say(source, DAY)
    assert numbers(said)["Requests"] == 400 and numbers(said)["Availability"] == 99.0
    assert said.figures[1].before == 7
    assert (
        said.state == "critical" and "Below the objective of 99.5 %: 99.00 % of 400" in said.verdict
    )
    assert "4 of 400" in said.verdict
    assert rows(said, "Components") == [("api", 400, 4, 99.0, 9.9, 9.9)]
    assert numbers(said)["AI calls"] is None


def test_a_day_in_another_zone_is_that_zones_day(source: Source, con) -> None:
    berlin = ReportPeriod(Cadence.DAILY, date(2026, 10, 25), "Europe/Berlin")
    for hour in range(72):
        requests(con, datetime(2026, 10, 24) + timedelta(hours=hour), 1, 0)
    assert numbers(kind_named("daily-operations").say(source, berlin))["Requests"] == 25


def test_a_good_day_says_so_and_an_alert_is_told(source: Source, con) -> None:
    requests(con, NOON, 1_000, 1)
    say = kind_named("daily-operations").say
    assert say(source, DAY).state == "ok"
    assert say(source, DAY).verdict.startswith("All well: 99.90 % of 1,000 requests were answered")
    alert(con, NOON, None)
    said = say(source, DAY)
    assert said.state == "warning" and "1 critical alert fired, 1 not resolved" in said.verdict
    assert rows(said, "Alerts") == [("2026-11-25 12:00", "critical", "Down", "api", 2.0, None)]


def test_no_text_of_an_error_is_part_of_a_report(source: Source, con) -> None:
    requests(con, NOON, 10, 0)
    con.execute(
        "INSERT INTO dim_error_groups VALUES ('g1:0123456789abcdef', 'said <name>', 'KeyError', 'a.py f', ?, '')",
        [NOON],
    )
    con.execute("INSERT INTO fct_errors_hourly VALUES ('g1:0123456789abcdef', 'api', ?, 3)", [NOON])
    said = kind_named("daily-operations").say(source, DAY)
    assert rows(said, "Top errors") == [
        ("KeyError", "a.py f", "api", 3, "in this period", "g1:01234567")
    ]
    assert "said <name>" not in str(said)


def test_a_period_without_data_says_since_when_there_are_some(source: Source, con) -> None:
    for kind, period in zip(kinds().values(), (DAY, WEEK, MONTH), strict=True):
        with pytest.raises(NoData, match=f"nothing is known of {period.label}: there are no data"):
            kind.say(source, period)
    requests(con, NOON + timedelta(days=30), 1, 0)
    with pytest.raises(NoData, match="there are data since 2026-12-25 12:00 UTC"):
        kind_named("daily-operations").say(source, DAY)


def test_a_week_spends_the_budget_of_thirty_days(source: Source, con) -> None:
    requests(con, NOON, 10_000, 10)
    requests(con, NOON - timedelta(days=20), 10_000, 40)
    requests(con, NOON - timedelta(days=40), 10_000, 10_000)
    said = kind_named("weekly-reliability").say(source, WEEK)
    assert numbers(said)["Error budget left"] == 50.0
    assert (said.state, said.figures[0].value) == ("ok", 99.9)
    assert rows(said, "Objectives") == [("api", 10_000, 10, 99.9, 99.5, 50.0, "met")]


def test_a_week_names_who_missed_the_objective(source: Source, con) -> None:
    requests(con, NOON, 100_000, 10)
    requests(con, NOON, 1_000, 100, component="web")
    said = kind_named("weekly-reliability").say(source, WEEK)
    assert said.state == "warning" and said.verdict.startswith("Below 99.5 % in web this week;")
    requests(con, NOON, 1_000, 1_000, component="web")
    assert kind_named("weekly-reliability").say(source, WEEK).state == "critical"


def test_time_to_repair_is_of_what_is_over_and_matters(source: Source, con) -> None:
    requests(con, NOON, 10, 0)
    for minutes, severity in ((10, "critical"), (20, "warning"), (600, "info"), (None, "critical")):
        alert(con, NOON, minutes, severity)
    alert(con, NOON - timedelta(days=7), 99)
    said = kind_named("weekly-reliability").say(source, WEEK)
    repair = said.figures[2]
    assert (repair.value, repair.before) == (15.0, 99.0)
    assert numbers(said)["Critical alerts"] == 2 and len(rows(said, "Critical alerts")) == 2
    points = next(c for c in said.charts if c.title == "Alerts by day").points
    assert {(at.date(), name, n) for at, name, n in points} == {
        (date(2026, 11, 25), "critical", 2), (date(2026, 11, 25), "warning", 1),
        (date(2026, 11, 25), "info", 1),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("counted", "used", "left"),
    [((0, 0), None, None), ((1_000, 5), 100.0, 0.0), ((1_000, 50), 1_000.0, 0.0)],
)
def test_a_budget_that_is_overspent_has_nothing_left(
    counted: tuple[int, int], used: float | None, left: float | None
) -> None:
    budget = Budget(*counted, 99.5)
    assert (budget.used_pct, budget.left_pct) == (pytest.approx(used), pytest.approx(left))


def test_a_month_of_privacy_counts_gate_receipts_and_refusals(
    source: Source, con, settings: Settings, keys: KeyStore
) -> None:
    for treatment, count in (("keep", 750), ("drop", 200), ("scrub", 50)):
        con.execute(
            "INSERT INTO fct_gate_decisions_hourly VALUES ('api', 'f', ?, ?, ?)",
            [treatment, NOON, count],
        )
    for number, at in enumerate((NOON, NOON, NOON - timedelta(days=40))):
        receipt = Receipt(f"r{number}", at, "spans", at, 2, 30, 9, ("lake.spans/2026-10-01",), 0, 0)
        receipts.write(settings.home, keys, receipt)
    log = AuditLog(settings.home, keys, clock=lambda: NOON.replace(tzinfo=UTC))
    log.append(actor="user:u_1", action="access.page", target="privacy", outcome="refused")
    log.append(actor="user:u_2", action="access.page", target="privacy")
    said = kind_named("monthly-privacy").say(source, MONTH)
    assert numbers(said) == {
        "Changed or dropped": 25.0, "Expiry receipts": 2, "Leaks found": None, "Epsilon spent, 28 d": 0.0,
        "Refused requests": 1,
    }  # fmt: skip
    assert said.state == "warning" and said.verdict.startswith("No leak scan ended in this month")
    assert rows(said, "Expiry receipts") == [("spans", 2, 4, 60, 2, 0)]
    assert rows(said, "Access and acts") == [("access.page", 2, 1, 0, 2)]
    assert "user:u_1" not in str(said)


def test_what_was_found_after_its_purge_is_critical(
    source: Source, con, settings: Settings, keys: KeyStore
) -> None:
    con.execute("INSERT INTO fct_gate_decisions_hourly VALUES ('api', 'f', 'keep', ?, 1)", [NOON])
    receipts.write(settings.home, keys, Receipt("r", NOON, "spans", NOON, 1, 1, 1, (), 3, 0))
    said = kind_named("monthly-privacy").say(source, MONTH)
    assert said.state == "critical" and "3 were still found after their purge" in said.verdict
