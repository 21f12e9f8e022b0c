"""What the code location contains, by name, and over which home."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.definitions import build_defs
from dagster_project.defs.audit import audit_head
from dagster_project.defs.home import Home
from dagster_project.defs.retention import retention_receipts
from ingestion.processes import passes
from ingestion.receivers.committing.pipeline import Incoming
from ingestion.settings import Settings, load_settings
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from privacy.retention import receipts


@pytest.fixture(scope="module")
def repository(built: Settings) -> dg.Definitions:
    return build_defs(lambda: Home(lambda: built))


MARTS = """
fct_alert_episodes fct_alert_resolution_weekly fct_dropped_items_hourly
dim_components dim_error_groups fct_errors_hourly fct_ai_calls_minutely fct_db_operations_minutely
fct_db_pools_minutely fct_gate_decisions_hourly fct_host_usage_minutely fct_landed_items_hourly
fct_metric_points_hourly fct_process_usage_minutely fct_noted_items_hourly fct_rejected_items_hourly
fct_recoveries_minutely fct_exemplars fct_trace_spans fct_log_lines fct_log_patterns_minutely dim_releases
fct_requests_minutely fct_websocket_connections fct_websocket_messages_minutely meta_builds
""".split()


def test_assets_schedules_and_checks_are_exactly_these(repository) -> None:
    keys = {key.to_user_string() for key in repository.resolve_all_asset_keys()}
    assert {k for k in keys if k.startswith("marts/")} == {f"marts/{m}" for m in MARTS}
    assert {k for k in keys if k.startswith("landed/")} == {
        f"landed/{n}"
        for n in (
            "spans",
            "logs",
            "metric_points",
            "ledger",
            "gate_decisions",
            "metric_points_context",
            "spans_before",
            "log_patterns",
            "dirty_hours",
            "new_parts",
            "touched_minutes",
            "horizon",
            "error_parts",
            "error_occurrences",
            "error_hours",
            "error_states",
        )
    }
    built = ("marts/", "landed/", "staging/", "intermediate/")
    others = {k for k in keys if not k.startswith(built)}
    assert others == {
        "receiver/otlp", "audit/head", "retention/receipts", "released/engagement",
        *(f"published/{audience}" for audience in ("operations", "privacy", "engagement")),
        *(f"reports/{kind}" for kind in ("daily_operations", "weekly_reliability", "monthly_privacy")),
    }  # fmt: skip
    assert sorted(s.name for s in repository.schedules) == [
        "batch_schedule", "report_schedule", "retention_schedule",
    ]  # fmt: skip
    assert [s.name for s in repository.sensors] == ["retention_catch_up"]
    checks = {key.name for key in repository.resolve_asset_graph().asset_check_keys}
    assert checks == {"landed_suite", "leak_scan", "dbt_tests"}


def test_lineage_reaches_from_the_receiver_to_the_published_copy(repository) -> None:
    graph = repository.resolve_asset_graph()
    upstream = {dg.AssetKey(["published", "operations"])}
    for _ in range(8):
        upstream |= {p for key in upstream for p in graph.get(key).parent_keys}
    assert dg.AssetKey(["receiver", "otlp"]) in upstream


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home that the environment names, which nobody means."""
    monkeypatch.setenv("TTA_MONITOR_HOME", str(tmp_path / "elsewhere"))
    return tmp_path / "elsewhere"


def test_assets_work_in_the_home_that_they_are_handed_and_at_its_time(
    settings: Settings, keys: KeyStore, elsewhere: Path
) -> None:
    AuditLog(settings.home, keys).append(actor="user:u_1", action="access.sign_in")
    long_ago = datetime(2020, 2, 1, 12, tzinfo=UTC)
    home = Home(lambda: settings, clock=lambda: long_ago)
    done = dg.materialize([audit_head, retention_receipts], resources={"home": home})
    (head,) = done.asset_materializations_for_node("audit__head")
    assert head.metadata["entries"].value == 1
    assert list((settings.home / "audit-heads").iterdir())
    assert receipts.last_pass(settings.home) == long_ago.replace(tzinfo=None)
    assert not elsewhere.exists()


def test_definitions_of_two_homes_stand_side_by_side(
    repository: dg.Definitions, built: Settings, elsewhere: Path
) -> None:
    rarely = load_settings(built.home, warehouse={"build_every_minutes": 30})
    other = build_defs(lambda: Home(lambda: rarely))
    crons = [d.resolve_schedule_def("batch_schedule").cron_schedule for d in (repository, other)]
    assert crons == ["*/5 * * * *", "*/30 * * * *"]
    assert not elsewhere.exists()


def test_a_tick_asks_for_a_pass_when_the_home_has_news_and_none_is_running(
    settings: Settings, repository: dg.Definitions, pipeline, incoming: list[Incoming]
) -> None:
    def tick() -> object:
        context = dg.build_schedule_context(resources={"home": Home(lambda: settings)})
        return repository.resolve_schedule_def("batch_schedule")(context)

    quiet = tick()
    assert isinstance(quiet, dg.SkipReason) and quiet.skip_message == "nothing is new"
    pipeline.process(incoming[:1])
    asked = tick()
    assert isinstance(asked, dg.RunRequest)
    assert asked.tags["tta_monitor/news"].endswith("received batches wait")
    with passes.one_pass(settings.home, lambda _: None):
        just_begun = tick()
        batch = passes.begin(settings.home, "batch", datetime.now(UTC))
        waits = tick()
        passes.end(settings.home, batch, passes.PassEnd(), datetime.now(UTC))
        passes.begin(settings.home, "reports", datetime.now(UTC))
        behind_a_report = tick()
    for left_out in (just_begun, waits):
        assert isinstance(left_out, dg.SkipReason)
        assert "still running" in str(left_out.skip_message)
    assert isinstance(behind_a_report, dg.RunRequest)


@pytest.mark.parametrize("minutes", [2, 3, 4, 5, 6, 10, 12, 15, 20, 30])
def test_reports_are_looked_for_when_no_pass_begins(
    repository: dg.Definitions, built: Settings, minutes: int
) -> None:
    chosen = load_settings(built.home, warehouse={"build_every_minutes": minutes})
    other = build_defs(lambda: Home(lambda: chosen))
    at = repository.resolve_schedule_def("report_schedule").cron_schedule.split()[0]
    step = other.resolve_schedule_def("batch_schedule").cron_schedule.split()[0]
    assert int(at) % int(step.removeprefix("*/")) != 0


def test_wrong_settings_fail_the_step_that_asks_for_them_and_say_why(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("warehouse: {build_every_minutes: never}")
    home = Home(lambda: load_settings(tmp_path))
    done = dg.materialize([audit_head], resources={"home": home}, raise_on_error=False)
    (failed,) = [event for event in done.all_events if event.is_step_failure]
    assert failed.step_key == "audit__head"
    assert "build_every_minutes" in str(failed.step_failure_data.error)
