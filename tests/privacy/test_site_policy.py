"""Decisions of the site: merged, followed, written with an entry; a wrong file changes nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.spool import Spool
from privacy.audit.audit_log import AuditLog
from privacy.gate.allow_list import PolicyProblem, Treatment
from privacy.gate.attribute_names import ShownNames
from privacy.keys.key_store import KeyStore
from privacy.site_policy import (
    FILE,
    Decision,
    PolicyWatch,
    decide,
    load_site_policy,
    merged,
)
from tests.clocks import Seconds
from tests.privacy.gate.test_gate_counts import send, spooled, with_attributes


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def log(home: Path, keys: KeyStore) -> AuditLog:
    return AuditLog(home, keys)


@pytest.fixture
def followed(home: Path, spool: Spool, keys: KeyStore, clock: Seconds) -> Pipeline:
    return Pipeline(spool, keys, PolicyWatch(home, clock))


def kept(spool: Spool, number: int = -1) -> dict[str, str]:
    batches = list(spool.read(0, limit=1_000, signals=["spans"]))
    return dict(batches[number].table().column("attributes")[0].as_py())


NAMES = ("player.mood_score", "scene.remark", "answer.word")


def some(number: int):
    request = with_attributes(
        "api",
        player__mood_score=3,
        scene__remark="connection failed for Zephyrine Quux",
        answer__word="whatever",
    )
    request.resource_spans[0].scope_spans[0].spans[0].span_id = bytes([number] * 8)
    return request


def test_a_decision_reaches_a_running_receiver_within_a_second(
    home: Path, log: AuditLog, followed: Pipeline, spool: Spool, clock: Seconds
) -> None:
    send(followed, some(1))
    assert kept(spool) == {}
    for name, decision in zip(NAMES, Decision, strict=True):
        decide(home, log, actor="user:u_1", name=name, decision=decision)
    send(followed, some(2))
    assert kept(spool) == {}  # not looked at yet
    clock.now_s = 1.0
    send(followed, some(3))
    found = kept(spool)
    assert found["player.mood_score"] == "3"
    assert "Zephyrine" not in found["scene.remark"] and "failed" in found["scene.remark"]
    assert "answer.word" not in found
    counted = spooled(spool)
    assert counted["api", "spans", "answer.word", "drop"] == 1
    assert counted["api", "spans", "answer.word", "unknown"] == 2
    decide(home, log, actor="user:u_1", name="player.mood_score", decision=None)
    clock.now_s = 2.0
    send(followed, some(4))
    assert "player.mood_score" not in kept(spool)


@pytest.mark.parametrize(
    ("value", "stays"),
    [(42, True), (123_456, True), (7_700_900_461, False), ("failed", True), ("Zephyrine", False)],
)
def test_what_is_allowed_stays_only_as_a_short_number_or_words_of_software(
    value: object, stays: bool, home: Path, log: AuditLog, keys: KeyStore, spool: Spool
) -> None:
    decide(home, log, actor="a", name="site.value", decision=Decision.ALLOW)
    pipeline = Pipeline(spool, keys, PolicyWatch(home))
    send(pipeline, with_attributes("api", site__value=value))
    assert (kept(spool)["site.value"] == str(value)) is stays


@pytest.mark.parametrize("decision", [Decision.ALLOW, Decision.SCRUB])
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("gen_ai.prompt", "cannot loosen"),
        ("gen_ai.prompt.0.content", "cannot loosen"),
        ("http.request.header.cookie", "cannot loosen"),
        ("user.id", "only drop it"),
        ("~abcdefghijkl", "can only be dropped"),
        ("jane@example.org", "name is letters"),
        ("two words", "name is letters"),
        ("", "name is letters"),
    ],
)
def test_a_shipped_decision_is_never_loosened(
    name: str, why: str, decision: Decision, home: Path, log: AuditLog
) -> None:
    with pytest.raises(PolicyProblem, match=why):
        decide(home, log, actor="user:u_1", name=name, decision=decision)
    (entry,) = log.entries(action="privacy.decide")
    assert entry.outcome == "refused"
    assert not (home / FILE).exists()


def test_a_site_may_drop_what_the_shipped_list_keeps(home: Path, log: AuditLog) -> None:
    site = decide(home, log, actor="a", name="http.method", decision=Decision.DROP)
    assert merged(site).decide("span", "http.method").treatment is Treatment.DROP
    assert merged({}).decide("span", "http.method").treatment is Treatment.KEEP


def test_an_attribute_known_on_resources_can_be_decided_for_spans(
    home: Path, log: AuditLog
) -> None:
    site = decide(home, log, actor="a", name="service.version", decision=Decision.ALLOW)
    assert merged(site).decide("resource", "service.version").treatment is Treatment.NAME
    assert merged(site).decide("span", "service.version").treatment is Treatment.ALLOW


def test_a_hidden_name_can_be_dropped_by_its_digest_and_waits_no_longer(
    home: Path, log: AuditLog, keys: KeyStore, spool: Spool
) -> None:
    digest = ShownNames(keys.named_key("attribute_names").secret).digest("answer.of.amelie")
    decide(home, log, actor="a", name=digest, decision=Decision.DROP)
    send(
        Pipeline(spool, keys, PolicyWatch(home)), with_attributes("api", answer__of__amelie="hello")
    )
    assert spooled(spool)["api", "spans", digest, "drop"] == 1
    assert "unknown" not in {t for _, _, _, t in spooled(spool)}


def test_every_change_is_an_entry_with_what_was_before(home: Path, log: AuditLog) -> None:
    for decision in (Decision.SCRUB, Decision.DROP, None):
        decide(home, log, actor="user:u_1", name="scene.remark", decision=decision)
    entries = log.entries(action="privacy.decide", target="scene.remark")
    assert [(e.details["before"], e.details["decision"]) for e in reversed(entries)] == [
        ("undecided", "scrub"), ("scrub", "drop"), ("drop", "undecided"),
    ]  # fmt: skip
    assert {(e.actor, e.outcome) for e in entries} == {("user:u_1", "done")}
    assert load_site_policy(home) == {}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("attributes: [a", "line"),
        ("- a", "must hold one mapping"),
        ("fields: {}", "must hold one mapping"),
        ("attributes: [a]", "must hold one mapping"),
        ("attributes: {a.b: keep}", "a.b must be allow, scrub or drop"),
        ("attributes: {a.b: keep, gen_ai.prompt: allow}", "a.b must be .*; gen_ai.prompt is"),
        ("attributes: {1: drop}", "name is letters"),
        (b"\xff\xfe\x00", "YAML"),
    ],
)
def test_a_wrong_file_refuses_the_start_and_later_changes_nothing(
    text: str | bytes, why: str, home: Path, log: AuditLog, followed: Pipeline, spool: Spool, clock: Seconds,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    decide(home, log, actor="a", name="player.mood_score", decision=Decision.ALLOW)
    clock.now_s = 1.0
    send(followed, some(1))
    (home / FILE).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(PolicyProblem, match=why):
        PolicyWatch(home)
    with pytest.raises(PolicyProblem, match=why):
        decide(home, log, actor="a", name="scene.remark", decision=Decision.DROP)
    for number in (2, 3):
        clock.now_s += 1
        send(followed, some(number))
    assert kept(spool)["player.mood_score"] == "3"
    assert capsys.readouterr().err.count("event='policy.yaml is wrong") == 1
    (home / FILE).unlink()
    clock.now_s += 1
    send(followed, some(4))
    assert kept(spool) == {}


def test_without_a_file_nothing_is_decided(home: Path) -> None:
    assert load_site_policy(home) == {}
    (home / FILE).write_text("")
    assert load_site_policy(home) == {}


def test_a_receiver_does_not_start_with_a_wrong_policy_and_names_the_fix(
    home: Path, keys: KeyStore
) -> None:
    (home / FILE).write_text("attributes: {gen_ai.prompt: allow}")
    done = subprocess.run(
        [sys.executable, "-m", "ingestion.receivers", "--home", str(home)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert "gen_ai.prompt is dropped by the shipped allow-list" in done.stderr
    assert "Traceback" not in done.stderr
