"""A pass over everything odd that a sender may say ends well, and everybody else is published."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from dagster_project.process.build import BuildReport, run_build
from ingestion.lake.duck import open_published
from ingestion.processes import passes
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.receivers.decoding.count_tables import ledger_table
from ingestion.settings import Settings
from ingestion.spool import Spool
from tests.ingestion.lake.test_poison import DOUBLED, put
from tests.ingestion.lake.test_set_aside import send_hopeless, send_poison
from tests.ingestion.receivers.test_receivers import span_request
from tests.odd_input import ODD


@pytest.fixture
def poisoned(settings: Settings, pipeline: Pipeline, spool: Spool) -> BuildReport:
    send_poison(pipeline)
    send_hopeless(spool)
    for made in (DOUBLED, ODD):
        for signal, make in made.items():
            (answer,) = pipeline.process([Incoming(signal, make().SerializeToString())])
            assert answer.accepted, answer
    well = span_request(service="well-sender", span=b"w" * 8)
    put(
        well.resource_spans[0].scope_spans[0].spans[0].attributes,
        ("http.request.method", "GET"),
        ("http.route", "/well"),
    )
    pipeline.process([Incoming("spans", well.SerializeToString())])
    return run_build(settings)


@pytest.mark.slow
def test_a_pass_over_everything_odd_publishes_everybody(
    settings: Settings, poisoned: BuildReport
) -> None:
    assert (poisoned.ok, poisoned.checks_failed, poisoned.failed_steps) == (True, (), ())
    con = open_published(settings, "operations")

    def asked(sql: str) -> list[tuple]:
        return con.execute(sql).fetchall()

    requests = "SELECT request_count FROM fct_requests_minutely WHERE component = 'well-sender'"
    assert asked(requests) == [(1,)]
    (ai,) = asked(
        "SELECT sum(call_count)::INT, min(duration_ms_sum) >= 0, min(output_tokens) >= 0"
        " FROM fct_ai_calls_minutely WHERE component = 'odd-sender'"
    )
    assert ai[1:] == (True, None) or ai[1:] == (True, True)
    noted = dict(
        asked(
            "SELECT reason, sum(noted_items)::INT FROM fct_noted_items_hourly"
            " WHERE component = 'odd-sender' GROUP BY 1"
        )
    )
    assert noted["end_before_start"] == 40
    assert noted["unknown_enum_number"] > 0
    aside = (
        "SELECT component, set_aside_items FROM fct_landed_items_hourly WHERE set_aside_items > 0"
    )
    assert asked(aside) == [("broken-sender", 1)]
    assert asked("SELECT count(*) FROM fct_alert_episodes WHERE severity = 'catastrophic'") == [
        (0,)
    ]
    assert any("is_plausible" in warned for warned in poisoned.checks_warned)
    con.close()


@pytest.mark.slow
def test_an_item_that_has_no_fate_is_told_and_holds_up_nobody(
    settings: Settings, pipeline: Pipeline, spool: Spool
) -> None:
    pipeline.process([Incoming("spans", span_request().SerializeToString())])
    now = datetime.now(UTC)
    vanished = Counter({("player-api", "spans", "arrived", ""): 1})
    spool.append([("ledger", ledger_table(vanished, int(now.timestamp() * 1e6)))])
    report = run_build(settings)
    assert report.ok, report
    assert any("assert_every_item_has_one_fate" in warned for warned in report.checks_warned)
    (problem,) = passes.problems(settings, now, None)
    assert problem.kind == "ItemsUnaccounted"
    assert "the ledger does not add up" in problem.reason
    con = open_published(settings, "operations")
    arrived = con.execute("SELECT arrived_items, landed_items FROM fct_landed_items_hourly")
    assert arrived.fetchall() == [(2, 1)]
    con.close()
