"""The Privacy page: every part empty and filled, deciding, scanning, searching; who may."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from scipy.stats import binomtest
from streamlit.testing.v1 import AppTest

from dagster_project.leaks import runs as scan_runs
from ingestion.expiry import plan as expiry
from ingestion.gate_readings import Waiting
from ingestion.lake import drain as lake
from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.settings import Settings, load_settings
from ingestion.spool import Spool
from privacy.access.access_policy import Role
from privacy.detection.canary import canaries
from privacy.detection.model_card import held_out
from privacy.keys.key_store import KeyStore
from privacy.leaks.samples import SAMPLES
from privacy.retention.retention_policy import load_policy
from privacy.site_policy import FILE, Decision, load_site_policy
from streamlit_app.components.privacy.parts import narrowed, totals
from streamlit_app.components.privacy.privacy_records import age_words
from streamlit_app.page_files import FILES
from streamlit_app.readings import privacy as privacy_data
from streamlit_app.readings import source
from streamlit_app.sign_in import doorman
from tests.ingestion.expiry.test_expiry import send as send_at
from tests.pages import tiles, words
from tests.privacy.gate.test_gate_counts import send, with_attributes
from tests.signing_in import sign_in_page_test

PARTS = ["Gate", "Decisions", "Detector", "Expiry", "Releases", "Audit", "Leak scan"]
CACHES = (source.settings, source.client, source._marts, privacy_data.keys)


@pytest.fixture(autouse=True)
def fresh_caches(monkeypatch: pytest.MonkeyPatch, free_port: int):
    monkeypatch.setenv("TTA_MONITOR_LIVE__PORT", str(free_port))
    for cached in CACHES:
        cached.clear()
    doorman.forget()
    yield
    doorman.forget()
    for cached in CACHES:
        cached.clear()


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A published mart, without a build."""
    rows = pd.DataFrame(
        [
            ("api", "spans", "http.method", "keep", 700),
            ("api", "spans", "user.id", "pseudonymise", 200),
            ("api", "spans", "player.mood_score", "unknown", 60),
            ("web", "logs", "log body", "scrub", 40),
        ],
        columns=["component", "signal", "field", "treatment", "value_count"],
    )
    at = datetime(2026, 11, 25, 12)
    waits = [
        Waiting("player.mood_score", "", 60, ("api",), ("spans",), at, at),
        Waiting("~abcdefghijkl", "a.a_a", 7, ("api", "web"), ("logs",), at, at),
    ]
    monkeypatch.setattr(privacy_data, "decisions", lambda _: source.Reading(rows))
    monkeypatch.setattr(
        privacy_data, "waiting", lambda decided: ([w for w in waits if w.name not in decided], None)
    )


def page(part: str = "Gate", role: Role = Role.PRIVACY_OFFICER) -> AppTest:
    file = FILES["privacy"]
    shown = AppTest.from_file(str(file), default_timeout=90)
    sign_in_page_test(shown, load_settings().home, role)
    shown.query_params["part"] = part
    return shown.run()


def press(shown: AppTest, label: str) -> AppTest:
    next(b for b in shown.button if b.label == label).click().run()
    assert not shown.exception
    return shown


@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_an_empty_home_says_what_would_fill_it(part: str, settings: Settings) -> None:
    shown = page(part)
    assert not shown.exception
    values = tiles(shown)
    assert values["Canary recall"] == values["Leak scan"] == values["Last purge"] == "—"
    empty = {
        "Gate": "nothing is published for privacy yet: run",
        "Decisions": "the shipped allow-list alone decides",
        "Detector": "No batch has passed a detector yet",
        "Expiry": "the first one is at 00:10 UTC",
        "Releases": "Nothing was released yet",
        "Audit": "No entry matches",
        "Leak scan": "No scan has run yet",
    }
    if part == "Audit":
        next(t for t in shown.text_input if t.label == "Actor").set_value("nobody").run()
    assert empty[part] in words(shown)


def test_the_gates_counts_are_shown_with_what_was_kept_back_first(
    counted: None, settings: Settings, pipeline: Pipeline
) -> None:
    send(pipeline, with_attributes("api"))
    shown = page()
    assert not shown.exception
    values = tiles(shown)
    assert values["Changed or dropped"] == "30 %"
    assert values["Attributes waiting"] == "2"
    assert values["Canary recall"] == "100 %"
    table = shown.dataframe[0].value
    assert list(table["Field"]) == ["player.mood_score", "log body", "user.id", "http.method"]
    assert table["Treatment"].iloc[0] == "undecided"


def test_the_detector_is_shown_with_its_recall_and_interval(
    settings: Settings, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(pipeline, with_attributes("api"))
    shown = page("Detector")
    assert not shown.exception
    assert "tta-gate/" in words(shown)
    assert f"{len(canaries())} planted words" in words(shown) and "95 % interval" in words(shown)
    assert list(shown.dataframe[0].value["Text"]) == [line.text for line in held_out()]
    monkeypatch.setattr(privacy_data, "_content_hash", lambda: "0" * 64)
    other = page("Detector")
    assert "another version" in words(other) and "95 % interval" not in words(other)


def test_counts_narrow_by_component_and_treatment_and_add_up() -> None:
    rows = pd.DataFrame(
        {"component": ["a", "b"], "signal": "spans", "field": ["f", "g"],
         "treatment": ["keep", "drop"], "value_count": [3, 1]}
    )  # fmt: skip
    assert list(narrowed(rows, "a", "All treatments")["field"]) == ["f"]
    assert list(narrowed(rows, None, "dropped")["field"]) == ["g"]
    assert narrowed(rows, "a", "dropped").empty
    shares = totals(rows).set_index("Treatment")["Share"]
    assert (shares["kept"], shares["dropped"], shares["skeleton"]) == (75.0, 25.0, 0.0)


def test_an_officer_decides_and_takes_it_back_with_entries(
    counted: None, settings: Settings
) -> None:
    shown = page("Decisions")
    assert list(shown.dataframe[0].value["Attribute"]) == ["player.mood_score", "~abcdefghijkl"]
    choice = next(s for s in shown.selectbox if s.label == "Attribute")
    choice.set_value("player.mood_score").run()
    press(shown, "Allow")
    assert load_site_policy(settings.home) == {"player.mood_score": Decision.ALLOW}
    assert "is decided: allow" in words(shown)
    assert list(shown.dataframe[0].value["Attribute"]) == ["~abcdefghijkl"]
    next(s for s in shown.selectbox if s.label == "Take back").set_value("player.mood_score").run()
    press(shown, "Take back")
    assert load_site_policy(settings.home) == {}
    decided = doorman.log().entries(action="privacy.decide")
    assert [(e.actor, e.outcome) for e in decided] == [("user:u_test", "done")] * 2


def test_a_hidden_name_can_only_be_dropped_and_the_page_says_why(
    counted: None, settings: Settings
) -> None:
    shown = page("Decisions")
    next(s for s in shown.selectbox if s.label == "Attribute").set_value("~abcdefghijkl").run()
    press(shown, "Scrub")
    assert "it can only be dropped" in words(shown)
    next(s for s in shown.selectbox if s.label == "Attribute").set_value("~abcdefghijkl").run()
    press(shown, "Drop")
    assert load_site_policy(settings.home) == {"~abcdefghijkl": Decision.DROP}


def test_a_wrong_policy_file_is_named_with_its_fix(counted: None, settings: Settings) -> None:
    (settings.home / FILE).write_text("attributes: {gen_ai.prompt: allow}")
    shown = page("Decisions")
    assert not shown.exception
    assert "cannot loosen" in shown.error[0].value


def test_expiry_shows_rules_what_goes_and_the_proof_of_what_went(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    for days in (1, 20):
        send_at(pipeline, days, now - timedelta(days=days))
    lake.drain(settings, keys)
    shown = page("Expiry")
    assert not shown.exception
    rules, due = shown.dataframe[0].value, shown.dataframe[1].value
    kept = dict(zip(rules["Dataset"], rules["Kept for"], strict=True))
    assert (kept["spans"], kept["salts"], kept["ledger"]) == ("14 d", "48 h", "13 months")
    assert dict(zip(due["Rule"], due["Rows"], strict=True))["spans"] == 1
    expiry.purge(settings, keys, load_policy(), now)
    shown = page("Expiry")
    receipts = shown.dataframe[1].value
    assert set(receipts["Still found"]) == {0}
    assert tiles(shown)["Last purge"].endswith("ago")
    assert age_words(None) == "for good"


def test_releases_state_the_total_budget(settings: Settings) -> None:
    shown = page("Releases")
    values = {m.label: m.value for m in shown.metric}
    assert values["Spent, epsilon"] == "0 of 6.3"
    assert "at most epsilon 0 of 6.3" in words(shown)


def test_the_audit_log_is_searched_and_verified(settings: Settings) -> None:
    doorman.log().append(actor="user:u_9", action="privacy.erase", target="p", outcome="failed")
    shown = page("Audit")
    actor = next(t for t in shown.text_input if t.label == "Actor")
    actor.set_value("user:u_9").run()
    (row,) = shown.dataframe[0].value.to_dict("records")
    assert (row["Action"], row["Outcome"]) == ("privacy.erase", "failed")
    press(shown, "Verify the log")
    assert shown.success[0].value.startswith("Intact:")
    log = doorman.log()
    log._db.execute("UPDATE audit_entries SET at = '2020-01-01T00:00:00+00:00' WHERE seq = 1")
    press(shown, "Verify the log")
    assert "Entry 1" in shown.error[0].value


def test_one_click_scans_and_the_result_stays(
    settings: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    (settings.home / "note.txt").write_text(f"x {SAMPLES['email']} y")
    monkeypatch.setattr(
        scan_runs, "start", lambda s, by: scan_runs.run(s, keys, by=by, artefacts=())
    )
    shown = press(page("Leak scan"), "Scan now")
    shown = page("Leak scan")
    assert "personal data found" in words(shown)
    found = {(f["Place"], f["Kind"]) for f in shown.dataframe[0].value.to_dict("records")}
    assert ("note.txt", "email") in found
    assert tiles(shown)["Leak scan"] == "leaks found"
    entries = doorman.log().entries(action="privacy.scan")
    assert [e.actor for e in entries] == ["user:u_test"]


def test_a_running_scan_shows_its_step_and_cannot_be_started_twice(
    settings: Settings, keys: KeyStore
) -> None:
    with scan_runs._holding(settings):
        scan = scan_runs.ScanRun("a", datetime.now(UTC), "user:u_1", "reading the lake")
        scan_runs._Book(settings, keys).write(scan)
        shown = page("Leak scan")
        assert next(b for b in shown.button if b.label == "Scan now").disabled
        assert "running" in words(shown)


def test_the_policys_admin_may_do_what_the_officer_may(counted: None, settings: Settings) -> None:
    shown = page("Decisions", Role.ADMIN)
    assert not shown.exception and len(shown.dataframe) == 1


@pytest.mark.parametrize("hits", [0, 1, 46, 91, 92])
def test_the_interval_of_a_share_is_wilsons(hits: int) -> None:
    known = binomtest(hits, 92).proportion_ci(method="wilson")
    assert privacy_data.wilson(hits, 92) == pytest.approx((known.low, known.high), abs=1e-6)


def test_the_latest_detector_is_the_one_of_the_latest_batch(
    pipeline: Pipeline, spool: Spool
) -> None:
    assert spool.last_detector() is None
    send(pipeline, with_attributes("api"))
    found = spool.last_detector()
    assert found is not None and found[0].startswith("tta-gate/")
