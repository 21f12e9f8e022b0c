"""A home whose warehouse an older version made heals with the next pass, and keeps what it had."""

import pytest

from dagster_project.marts.warehouse import warehouse_key
from dagster_project.process.build import run_build
from ingestion.lake.catalog import Catalog
from ingestion.lake.duck import attach, connect, open_published
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings
from privacy.keys.key_store import KeyStore
from tests.live_tail.window.recent.test_recent import request_of, spans

_NEW = "fct_exemplars fct_trace_spans fct_log_lines fct_log_patterns_minutely dim_releases".split()
_OLD = f"""
DROP TABLE intermediate.int_exemplar_parts;
DROP TABLE intermediate.int_release_hours;
{"".join(f"DROP TABLE marts.{name};" for name in _NEW)}
ALTER TABLE marts.fct_requests_minutely DROP COLUMN version;
ALTER TABLE marts.fct_requests_minutely DROP COLUMN environment;
ALTER TABLE intermediate.int_request_parts DROP COLUMN version;
ALTER TABLE intermediate.int_request_parts DROP COLUMN environment;
ALTER TABLE marts.fct_db_operations_minutely DROP COLUMN statement;
ALTER TABLE intermediate.int_db_operation_parts DROP COLUMN statement;
INSERT INTO marts.fct_requests_minutely BY NAME
    SELECT 'api' AS component, '/old' AS route, 'GET' AS method, '2xx' AS status_class,
        TIMESTAMP '2020-01-01' AS minute_at, 5 AS request_count, 0 AS error_count, 1.0 AS duration_ms_sum,
        1.0 AS duration_ms_max, MAP {{3: 5}} AS latency_histogram;
"""


@pytest.mark.slow
def test_a_warehouse_of_an_older_layout_heals_and_keeps_its_history(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    def send(number: int) -> Incoming:
        return spans(request_of(number, ms=number))

    pipeline.process([send(1)])
    assert run_build(settings).ok
    con = connect()
    attach(con, settings.warehouse_path, "w", warehouse_key(settings, keys))
    con.execute("USE w")
    con.execute(_OLD)
    con.execute("USE memory")
    con.close()
    Catalog(settings.lake_path).note_layout("marts", 3)
    pipeline.process([send(2)])
    report = run_build(settings)
    assert report.ok, report
    found = open_published(settings, "operations")
    by_release = found.execute(
        "SELECT version, environment, sum(request_count) FROM fct_requests_minutely GROUP BY ALL"
        " ORDER BY version NULLS LAST"
    ).fetchall()
    assert by_release == [("1.0.0", "staging", 2), (None, None, 5)]
    assert found.execute("SELECT count(*) FROM fct_exemplars").fetchone() == (2,)
    assert found.execute("SELECT count(*) FROM fct_trace_spans").fetchone() == (2,)
    assert found.execute("SELECT component, version FROM dim_releases").fetchall() == [
        ("api", "1.0.0")
    ]
