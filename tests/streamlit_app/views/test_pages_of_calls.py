"""Performance, AI models, Databases, WebSockets and Traces in every state: full, empty, stale, partial, forbidden."""

import os
import time
from typing import Any

import pandas as pd
import pytest

from ingestion.settings import Settings
from privacy.access.access_policy import Right
from streamlit_app.readings import databases, source
from streamlit_app.readings.source import Reading
from streamlit_app.sign_in import permission
from streamlit_app.view import RANGES
from tests.pages import links, tables, tiles, title, words
from tests.streamlit_app.views.conftest import HOUR, Hour, Opened

PAGES = ("performance", "ai_models", "databases", "websockets", "traces")
TITLES = {
    "performance": ("Latency distribution", "Routes, slowest first", "Slow and failed requests", "Processes"),
    "ai_models": ("Over time", "Models, slowest first", "Errors by type", "Retries and fallbacks",
                  "By component and operation", "Slow and failed calls"),
    "databases": ("Statements, most time spent first", "Connection pools", "Slow and failed operations"),
    "websockets": ("Closes by code", "Routes, most messages first", "Messages per second"),
    "traces": ("Slowest: requests",),
}  # fmt: skip
ASKED = {"performance": "routes", "ai_models": "ai_models", "databases": "databases",
         "websockets": "websockets", "traces": "exemplars"}  # fmt: skip


def exports(shown: Any) -> set[str]:
    return {e.proto.label for e in shown.get("download_button")}


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_the_same_from_the_live_window_and_from_the_published_copy(
    name: str, hour: Hour, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    hot = opened(name)
    for part in TITLES[name]:
        assert part in words(hot), part
    live = source.settings().live.model_copy(update={"window_minutes": 1})
    told = hour.settings.model_copy(update={"live": live})
    monkeypatch.setattr(source, "settings", lambda: told)
    cold = opened(name)
    # Of ten minutes fewer exemplars are kept than of each: their table may be shorter.
    assert tiles(hot) == tiles(cold)
    assert len(tables(hot)) == len(tables(cold)) > 0
    assert tables(hot)[0][0].keys() == tables(cold)[0][0].keys()
    assert exports(hot) >= {"CSV", "JSON"}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_a_home_into_which_nothing_came_says_what_would_fill_it(
    name: str, nothing: Settings, opened: Opened
) -> None:
    shown = opened(name)
    told = words(shown)
    assert ("in this range." in told and "fill it" in told) or "OTEL_EXPORTER_OTLP_ENDPOINT" in told
    assert (
        not tables(shown) and not shown.get("download_button") and not shown.get("vega_lite_chart")
    )
    assert " None" not in told and " nan" not in told


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_what_the_live_tail_does_not_answer_is_told_where_it_would_stand(
    name: str, hour: Hour, opened: Opened
) -> None:
    hour.silent.add(ASKED[name])
    shown = opened(name)
    assert "Not read." in words(shown) and "monitor up" in words(shown)
    if name != "traces":
        assert tables(shown) or shown.get("vega_lite_chart"), "the other parts are shown"


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_a_copy_that_lacks_the_end_of_the_range_says_how_old_it_is(
    name: str, past: Hour, opened: Opened
) -> None:
    file = past.settings.published_path("operations")
    before = file.stat()
    old = time.time() - 3 * 3_600
    os.utime(file, (old, old))
    try:
        shown = opened(name)
    finally:
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert "3 h 0" in words(shown) and "was made then" in words(shown)


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_a_part_that_the_role_may_not_read_says_so_and_the_others_stand(
    name: str, hour: Hour, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = permission.may_read

    def may(right: Right, what: str) -> bool:
        return what != ASKED[name] and real(right, what)

    monkeypatch.setattr(permission, "may_read", may)
    shown = opened(name)
    assert title(shown) and "Your role does not see" in words(shown)
    assert "An administrator can give" in words(shown)


@pytest.mark.slow
def test_a_minute_of_a_chart_leads_to_its_routes_a_route_to_its_requests_and_these_to_traces(
    hour: Hour, opened: Opened
) -> None:
    minute = (HOUR.end_at - RANGES["5 min"]).strftime("%Y-%m-%dT%H:%M:00Z")
    whole, one = opened("performance"), opened("performance", at=minute)
    assert "show the whole range" in words(one) and "show the whole range" not in words(whole)
    assert len(tables(one)[0]) <= len(tables(whole)[0])
    by_route = opened("performance", route="/scenes/{id}", component="api")
    assert "Slow and failed requests of /scenes/{id}" in words(by_route)
    assert links(by_route)["All routes"].count("route=") == 0
    calls = tables(by_route)[0]
    assert calls[0]["Outcome"] == "failed 200" and calls[0]["Duration"] == "900 ms"
    (trace,) = {a for a in links(by_route).values() if a.startswith("/traces?") and "trace=" in a}
    assert f"trace={(960).to_bytes(16, 'big').hex()}" in trace and "back=performance" in trace


@pytest.mark.slow
def test_a_minute_of_which_the_copy_keeps_no_call_shows_those_around_it(
    past: Hour, opened: Opened
) -> None:
    minute = (HOUR.end_at - RANGES["5 min"]).strftime("%Y-%m-%dT%H:%M:00Z")
    shown = opened("performance", at=minute, route="/scenes/{id}")
    assert "of the ten minutes around it" in words(shown)


@pytest.mark.slow
def test_comparing_draws_a_quiet_line_of_the_period_before(hour: Hour, opened: Opened) -> None:
    def kinds(shown: Any) -> bytes:
        return b"".join(c.proto.data.data for c in shown.get("vega_lite_chart"))

    second = HOUR.but(start_at=HOUR.end_at - RANGES["15 min"])
    plain = opened("performance", **second.params())
    compared = opened("performance", **second.params(), compare="previous")
    assert b"compare" not in kinds(plain) and b"compare" in kinds(compared)


@pytest.mark.slow
def test_the_slowest_model_is_named_with_how_sure_that_is(hour: Hour, opened: Opened) -> None:
    shown = opened("ai_models")
    assert (
        "llama3.2 is slowest: p95 837 ms (620 ms to 1,086 ms), 4.5 times mistral-small."
        in words(shown)
    )
    assert "too few, or too alike" in words(shown)
    slow, fast = tables(shown)[0]
    assert (slow["Model"], fast["Model"]) == ("llama3.2", "mistral-small")
    assert slow["Against mistral-small"] == "4.5 ×, not told apart"  # noqa: RUF001 - times
    assert (fast["Chunk ms"], fast["Cached"], slow["Cached"]) == ("250", "36,000", "—")
    assert "Not reported: cost" in words(shown)
    turned = opened("ai_models", against="llama3.2", model="mistral-small")
    assert "Slow and failed calls of mistral-small" in words(turned)
    assert tables(turned)[0][1]["Against llama3.2"] == "0.2 ×, not told apart"  # noqa: RUF001 - times
    assert tiles(turned)["Errors"] == "11 %"


@pytest.mark.slow
@pytest.mark.parametrize("shown_as", ["p95", "calls", "errors", "tokens", "something else"])
def test_what_is_drawn_over_time_stands_in_the_address(
    shown_as: str, hour: Hour, opened: Opened
) -> None:
    shown = opened("ai_models", show=shown_as)
    assert shown.button_group(key="choice-show").value == (
        shown_as if shown_as != "something else" else "p95"
    )
    assert shown.get("vega_lite_chart")


@pytest.mark.slow
def test_what_is_chosen_is_written_into_the_address_and_the_first_is_not(
    hour: Hour, opened: Opened
) -> None:
    shown = opened("traces")
    shown.button_group(key="choice-order").set_value("failed").run()
    assert shown.query_params["order"] in {"failed", ("failed",)} or shown.query_params[
        "order"
    ] == ["failed"]
    assert {row["Outcome"].split()[0] for row in tables(shown)[0]} == {"failed"}
    shown.button_group(key="choice-order").set_value("slow").run()
    assert "order" not in shown.query_params


@pytest.mark.slow
def test_a_model_with_a_price_costs_something(
    hour: Hour, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = source.settings()
    price = {"currency": "EUR", "models": {"mistral-small": {"input": 1, "output": 10}}}
    prices = type(told.prices).model_validate(price)
    monkeypatch.setattr(source, "settings", lambda: told.model_copy(update={"prices": prices}))
    assert tiles(opened("ai_models"))["Cost"].startswith("0.2700 EUR")


@pytest.mark.slow
def test_a_statement_leads_to_its_slow_operations(hour: Hour, opened: Opened) -> None:
    shown = opened("databases", statement="SELECT name FROM scenes WHERE id = ?")
    assert "Slow and failed operations of SELECT name FROM scenes" in words(shown)
    assert {row["Statement"] for row in tables(shown)[0]} == {
        "SELECT name FROM scenes WHERE id = ?"
    }
    assert links(shown)["All statements"].startswith("?")


@pytest.mark.slow
def test_somebody_who_waits_for_a_connection_is_seen(
    hour: Hour, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools = pd.DataFrame(
        [("api", "postgresql", "main", 9.5, 0.5, 10, 7, 41.0, 30, 2)],
        columns=pd.Index("component system pool used_connections idle_connections max_connections"
                         " pending_requests wait_ms wait_count timeout_count".split()),
    )  # fmt: skip
    over_time = pools[["component", "pool", "used_connections", "pending_requests"]].assign(
        bucket_at=pd.Timestamp(HOUR.start_at)
    )
    monkeypatch.setattr(databases, "pools", lambda _: Reading(pools))
    monkeypatch.setattr(databases, "pools_over_time", lambda _: Reading(pd.DataFrame(over_time)))
    shown = opened("databases")
    (waiting,) = (value for label, value in tiles(shown).items() if label.startswith("Waiting"))
    assert waiting.startswith("7") and "Waiting for a connection" in words(shown)
    row = next(t for t in tables(shown) if "Pool" in t[0])[0]
    assert (row["Waiting"], row["Wait ms"]) == ("7", "41") and row["Timeouts"].startswith("2")


@pytest.mark.slow
def test_a_close_is_told_by_its_code_and_what_that_means(hour: Hour, opened: Opened) -> None:
    codes = {row["Code"] for row in tables(opened("websockets"))[0]}
    assert codes == {"not reported", "1006 lost without a close"}
