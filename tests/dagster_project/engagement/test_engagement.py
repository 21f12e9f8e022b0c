"""Active players of a day, from telemetry through the gate, the lake and the release gate to the page's reader."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from dagster_project.engagement.active_players import (
    ACTIVE_PLAYERS,
    players_of,
    release_due,
    released_tables,
)
from dagster_project.marts.warehouse import publish
from ingestion.expiry.erasure import erase_rows
from ingestion.lake import drain as lake
from ingestion.lake.duck import attach, connect, open_published
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings, load_settings
from ingestion.spool import Spool
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from privacy.release import ReleaseLedger
from tests.ingestion.receivers.test_receivers import span_request

DAY = datetime(2026, 3, 2, tzinfo=UTC)
NEXT = datetime(2026, 3, 3, 0, 5)


def arrive(
    settings: Settings,
    players: list[str],
    hour: int,
    day: datetime = DAY,
    name: str = "tta.player.id",
) -> None:
    """One choice of each player arrives within an hour of a day."""
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "player-api"
    scope = resource.scope_logs.add()
    at = day + timedelta(hours=hour, minutes=10)
    for number, player in enumerate(players):
        record = scope.log_records.add(time_unix_nano=int(at.timestamp() * 1e9) + number)
        record.event_name = "choice_made"
        record.attributes.add(key=name).value.string_value = player
    with time_machine.travel(at, tick=False):
        keys = KeyStore.open(settings.home)
        spool = Spool(settings.spool_path, keys)
        Pipeline(spool, keys).process([Incoming("logs", request.SerializeToString())])
        spool.close()
        lake.drain(settings, keys)


def exact(settings: Settings, keys: KeyStore) -> dict[float, int]:
    found = players_of(settings, keys, DAY.date())
    assert found is not None
    hours = found["active_hours"].to_pylist()
    return {hour: hours.count(hour) for hour in sorted(set(hours))}


def test_players_are_counted_once_by_their_hours_of_arrival(
    settings: Settings, keys: KeyStore
) -> None:
    arrive(settings, [f"player_{n}" for n in range(40)], 9)
    arrive(settings, [f"player_{n}" for n in range(10)], 10)
    arrive(settings, [f"player_{n}" for n in range(10)], 10, name="workflow.player_id")
    arrive(settings, ["unknown", "None", "unknown", ""], 11, name="workflow.player_id")
    arrive(settings, [f"player_{n}" for n in range(40)], 9, DAY + timedelta(days=1))
    with time_machine.travel(NEXT, tick=False):
        counts = exact(settings, keys)
    assert counts == {1.0: 30, 2.0: 10}


def test_a_row_without_a_player_counts_nobody_and_an_empty_day_is_not_released(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    with time_machine.travel(DAY + timedelta(hours=9), tick=False):
        ns = int((DAY + timedelta(hours=9)).timestamp() * 1e9)
        request = span_request(start_time_unix_nano=ns, end_time_unix_nano=ns + 1_000)
        pipeline.process([Incoming("spans", request.SerializeToString())])
        lake.drain(settings, keys)
    found = players_of(settings, keys, DAY.date())
    assert found is not None and found.num_rows == 0
    assert players_of(settings, keys, DAY.date() - timedelta(days=1)) is None


def test_a_day_is_published_exactly_once_with_noise_threshold_and_rounding(
    settings: Settings, keys: KeyStore
) -> None:
    arrive(settings, [f"player_{n}" for n in range(400)], 9)
    assert release_due(settings, keys, datetime(2026, 3, 2, 23, 59)) == []
    (done,) = release_due(settings, keys, NEXT)
    assert (done.mart, done.period, done.refused) == ("daily_active_players", "2026-03-02", "")
    first, limits = released_tables(settings, keys)["daily_active_players"]
    for line in first.to_pylist():
        assert line["count"] is None or (line["count"] >= 10 and line["count"] % 5 == 0)
    total = next(line for line in first.to_pylist() if line["level"] != "leaf" and line["count"])
    assert abs(total["count"] - 400) < 150  # noise of scale 10 in each cell
    assert "epsilon 0.1 per person" in limits
    arrive(settings, [f"late_{n}" for n in range(400)], 23)  # arrived in time, drained too late
    keys_again = KeyStore.open(settings.home)
    erase_rows(settings, keys_again, "player_1")
    for later in (NEXT, NEXT + timedelta(hours=3)):
        assert release_due(settings, keys_again, later) == []
    assert released_tables(settings, keys_again)["daily_active_players"][0] == first
    (entry,) = AuditLog(settings.home, keys_again).entries(action="release.publish")
    assert (entry.actor, entry.outcome, entry.details["epsilon"]) == (
        "service:release",
        "done",
        0.1,
    )
    (spent,) = ReleaseLedger(settings.home, keys_again).checked_entries()
    assert spent.micro_epsilon == 100_000


def test_missed_days_are_caught_up_for_six_days(settings: Settings, keys: KeyStore) -> None:
    for days in (0, 1, 2):
        arrive(settings, [f"player_{n}" for n in range(30)], 9, DAY + timedelta(days=days))
    done = release_due(settings, keys, datetime(2026, 3, 8, 0, 5))
    assert [o.period for o in done] == ["2026-03-02", "2026-03-03", "2026-03-04"]
    assert release_due(settings, keys, datetime(2026, 3, 8, 0, 10)) == []


def test_over_budget_is_refused_with_one_entry_a_day(
    settings: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTA_MONITOR_RELEASE__EPSILON_PER_28_DAYS", "0.05")
    chosen = load_settings(settings.home)
    arrive(chosen, ["player_1"], 9)
    with time_machine.travel(NEXT, tick=False):
        (refused,) = release_due(chosen, keys, NEXT)
        assert refused.refused == "budget"
        assert release_due(chosen, keys, NEXT + timedelta(minutes=5)) == []
    assert len(AuditLog(settings.home, keys).entries(action="release.publish")) == 1
    with time_machine.travel(NEXT + timedelta(days=1), tick=False):
        (again,) = release_due(chosen, keys, NEXT + timedelta(days=1))
    assert again.refused == "budget"
    assert ReleaseLedger(settings.home, keys).checked_entries() == []


@pytest.mark.parametrize("has_release", [True, False])
def test_only_the_engagement_copy_holds_the_figures_and_never_a_pseudonym(
    has_release: bool, settings: Settings, keys: KeyStore
) -> None:
    arrive(settings, [f"player_{n}" for n in range(60)], 9)
    if has_release:
        release_due(settings, keys, NEXT)
    con = connect()
    attach(
        con,
        settings.warehouse_path,
        "warehouse",
        keys.data_key("warehouse", datetime.now(UTC).date()),
    )
    con.execute("CREATE SCHEMA warehouse.marts")
    con.close()
    for audience in ("operations", "engagement"):
        publish(settings, keys, audience)
    shown = open_published(settings, "engagement")
    lines = shown.execute("SELECT * FROM daily_active_players").to_arrow_table()
    comment = shown.execute("SELECT comment FROM duckdb_tables()").fetchall()
    assert (lines.num_rows > 0) is has_release
    names = ["mart", "period", "level", *ACTIVE_PLAYERS.names, "count", "low", "high", "reason", "suppressed_cells"]  # fmt: skip
    assert lines.column_names == names
    assert "p_" not in str(lines.drop_columns(["mart"]).to_pylist())
    assert ("epsilon" in str(comment)) is has_release
    operations = open_published(settings, "operations")
    assert operations.execute("SHOW TABLES").fetchall() == []
