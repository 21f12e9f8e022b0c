"""What the code location contains, by name."""

import pytest


@pytest.fixture(scope="module")
def repository(built):
    import os

    os.environ["TTA_MONITOR_HOME"] = str(built.home)
    from dagster_project.definitions import defs

    yield defs()
    del os.environ["TTA_MONITOR_HOME"]


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
    }  # fmt: skip
    assert sorted(s.name for s in repository.schedules) == ["batch_schedule", "retention_schedule"]
    assert [s.name for s in repository.sensors] == ["retention_catch_up"]
    checks = {key.name for key in repository.resolve_asset_graph().asset_check_keys}
    assert checks == {"landed_suite", "leak_scan", "dbt_tests"}


def test_lineage_reaches_from_the_receiver_to_the_published_copy(repository) -> None:
    import dagster as dg

    graph = repository.resolve_asset_graph()
    upstream = {dg.AssetKey(["published", "operations"])}
    for _ in range(8):
        upstream |= {p for key in upstream for p in graph.get(key).parent_keys}
    assert dg.AssetKey(["receiver", "otlp"]) in upstream
