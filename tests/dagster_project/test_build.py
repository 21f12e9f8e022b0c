"""The batch pass on the real capture: marts agree with an independent recount of the bodies."""

from collections import Counter

import duckdb
import pytest

from dagster_project.marts.warehouse import DBT_PROJECT
from ingestion.lake.duck import NotPublished, open_published
from ingestion.receivers.committing.pipeline import Incoming
from ingestion.settings import Settings
from tests.conftest import ROOT


def spans_of(incoming: list[Incoming]):
    """(component, span, attributes) of every span, by plain protobuf."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    for body in incoming:
        if body.signal != "spans":
            continue
        for resource in ExportTraceServiceRequest.FromString(body.body).resource_spans:
            own = {a.key: a.value.string_value for a in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    yield own["service.name"], span, {a.key: a.value for a in span.attributes}


@pytest.fixture
def marts(built: Settings) -> duckdb.DuckDBPyConnection:
    return open_published(built, "operations")


def test_the_true_number_of_requests_is_counted(marts, incoming: list[Incoming]) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    for component, span, attributes in spans_of(incoming):
        method = attributes.get("http.method") or attributes.get("http.request.method")
        if method and "asgi.event.type" not in attributes and span.kind not in (3, 4):
            expected[component, method.string_value] += 1
    counted = marts.execute(
        "SELECT component, method, sum(request_count) FROM fct_requests_minutely GROUP BY 1, 2"
    ).fetchall()
    assert {(c, m): n for c, m, n in counted} == dict(expected)
    # Counting by kind would lose the requests that the keep-alive trap made INTERNAL.
    servers = sum(1 for _, s, a in spans_of(incoming) if s.kind == 2 and "http.method" in a)
    assert sum(expected.values()) > servers


def test_ai_calls_and_tokens_agree_with_the_bodies(marts, incoming: list[Incoming]) -> None:
    calls = [a for _, _, a in spans_of(incoming) if "gen_ai.operation.name" in a]
    counted = marts.execute(
        "SELECT sum(call_count), sum(input_tokens), sum(output_tokens) FROM fct_ai_calls_minutely"
    ).fetchone()
    assert counted == (
        len(calls),
        sum(a["gen_ai.usage.input_tokens"].int_value for a in calls),
        sum(a["gen_ai.usage.output_tokens"].int_value for a in calls),
    )


def test_what_the_gate_did_agrees_with_the_bodies(
    built: Settings, incoming: list[Incoming]
) -> None:
    expected = Counter(
        component for component, _, a in spans_of(incoming) if "asgi.event.type" in a
    )
    for audience in ("operations", "privacy"):
        con = open_published(built, audience)
        counted = con.execute(
            "SELECT component, sum(value_count)::BIGINT FROM fct_gate_decisions_hourly"
            " WHERE field = 'asgi.event.type' AND signal = 'spans' GROUP BY 1"
        ).fetchall()
        assert dict(counted) == dict(expected)
        treatments = con.execute("SELECT DISTINCT treatment FROM fct_gate_decisions_hourly")
        assert {"keep", "pseudonymise", "template", "drop"} <= {t for (t,) in treatments.fetchall()}
        con.close()


def test_database_operations_agree_with_the_bodies(marts, incoming: list[Incoming]) -> None:
    expected = Counter(
        a["db.system"].string_value for _, _, a in spans_of(incoming) if "db.system" in a
    )
    counted = marts.execute(
        "SELECT system, sum(operation_count) FROM fct_db_operations_minutely GROUP BY 1"
    ).fetchall()
    assert dict(counted) == dict(expected)


def test_websocket_messages_agree_with_the_bodies(marts, incoming: list[Incoming]) -> None:
    events = Counter(
        a["asgi.event.type"].string_value
        for _, _, a in spans_of(incoming)
        if "asgi.event.type" in a
    )
    counted = marts.execute(
        "SELECT sum(messages_received), sum(messages_sent) FROM fct_websocket_connections"
    ).fetchone()
    assert counted == (events["websocket.receive"], events["websocket.send"])


def test_quantiles_from_the_histogram_are_within_two_percent(
    marts, incoming: list[Incoming]
) -> None:
    durations = sorted(
        (s.end_time_unix_nano - s.start_time_unix_nano) / 1e6
        for _, s, a in spans_of(incoming)
        if "http.method" in a and "asgi.event.type" not in a and s.kind not in (3, 4)
    )
    for q in (0.5, 0.9, 0.95, 0.99):
        exact = durations[max(-(-int(q * 1e6) * len(durations) // 10**6) - 1, 0)]
        (estimate,) = marts.execute(
            f"""
            SELECT quantile_ms(cast(map_from_entries(list((b, n) ORDER BY b)) AS MAP(INTEGER, BIGINT)), {q})
            FROM (
                SELECT e.key AS b, sum(e.value)::BIGINT AS n
                FROM (SELECT unnest(map_entries(latency_histogram)) AS e FROM fct_requests_minutely)
                GROUP BY 1
            )
            """
        ).fetchone()
        assert estimate == pytest.approx(exact, rel=0.02)


def test_accepted_is_landed_plus_duplicate_and_the_bad_body_is_counted(marts) -> None:
    totals = marts.execute(
        "SELECT sum(accepted_items), sum(rejected_items), sum(duplicate_items), sum(landed_items)"
        " FROM fct_landed_items_hourly"
    ).fetchone()
    assert totals[0] == totals[2] + totals[3]
    assert totals[1] == 1
    assert marts.execute("SELECT reason FROM fct_rejected_items_hourly").fetchall() == [
        ("unreadable_body",)
    ]


def test_a_build_leaves_nothing_beside_the_code(built: Settings) -> None:
    assert {f.name for f in DBT_PROJECT.iterdir()} == {
        "dbt_project.yml", "profiles.yml", "macros", "models", "tests",
    }  # fmt: skip
    made_by_tools = (
        "target",
        "logs",
        "dbt_packages",
        ".user.yml",
        "history",
        "schedules",
        "storage",
    )
    assert [name for name in made_by_tools if (ROOT / name).exists()] == []


def test_every_column_of_every_mart_is_described(built: Settings) -> None:
    from dagster_project.marts.manifest import ensure_manifest
    from dagster_project.marts.warehouse import DBT_PROJECT

    manifest = ensure_manifest(built)
    models = [
        n
        for n in manifest["nodes"].values()
        if n["resource_type"] == "model" and n["schema"] == "marts"
    ]
    con = open_published(built, "operations")
    assert len(models) == len(list((DBT_PROJECT / "models" / "marts").rglob("*.sql"))) > 10
    for model in models:
        actual = [row[0] for row in con.execute(f"DESCRIBE {model['name']}").fetchall()]
        described = [c["name"] for c in model["columns"].values() if c["description"]]
        assert described == actual, model["name"]


def test_the_published_copy_opens_nothing_else(marts, built: Settings) -> None:
    with pytest.raises(duckdb.Error):
        marts.execute(f"ATTACH '{built.warehouse_path}' AS w")
    with pytest.raises(duckdb.Error):
        marts.execute("SELECT * FROM read_text('/etc/hostname')")
    with pytest.raises(duckdb.Error):
        marts.execute("CREATE TABLE x AS SELECT 1")


def test_nothing_published_says_how_to_publish(settings: Settings) -> None:
    with pytest.raises(NotPublished, match="monitor build"):
        open_published(settings, "operations")
