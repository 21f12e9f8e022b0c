"""Paths, statements, stacks, tokens and pseudonyms."""

from datetime import date

import pytest

from privacy.detection.shapes.paths import template_url
from privacy.gate import treatments
from privacy.gate.allow_list import AllowList, Treatment, load_allow_list
from privacy.gate.remembered import Remembered
from privacy.keys.key_store import KeyStore
from privacy.keys.pseudonyms import Pseudonyms


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (
            "/api/v1/players/49ac2674-b8f0-4237-aaa6-78fba8de9ba3/progress",
            "/api/v1/players/{id}/progress",
        ),
        ("/ws/chat?token=eyJabc.x.y", "/ws/chat"),
        ("/users/jane.doe", "/users/{id}"),
        ("/users/jane", "/users/{id}"),
        ("/users/me", "/users/me"),
        ("/api/v1/players/{player_id}", "/api/v1/players/{player_id}"),
        ("ws://bob:pw@host:1/ws/chat?token=e#x", "ws://host:1/ws/chat"),
        ("/search/jane@example.com", "/search/{id}"),
        ("/worlds/world_mindfulness_garden", "/worlds/world_mindfulness_garden"),
        ("/", "/"),
        ("", ""),
    ],
)
def test_paths_become_templates(given: str, kept: str) -> None:
    assert template_url(given) == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (
            "SELECT * FROM users WHERE email='a@b.com' AND id=42",
            "SELECT * FROM users WHERE email=? AND id=?",
        ),
        ("GET user:49ac email:bob@x.com", "GET ? ?"),
        ('MATCH (p:Player {name: "Jane"}) RETURN p', "MATCH (p:Player {name: ?}) RETURN p"),
        ("SELECT 1 -- jane", "SELECT ?"),
        ("???", "?"),
    ],
)
def test_statements_lose_their_literals(given: str, kept: str) -> None:
    assert treatments.statement(given) == kept


def test_a_stack_keeps_frames_and_types_and_nothing_else() -> None:
    trace = (
        "Traceback (most recent call last):\n"
        '  File "/home/jane/app/src/game/main.py", line 12, in go\n'
        '    raise ValueError("bob@example.com is secret")\n'
        "    ^^^^^^^^^^^\n"
        "game.errors.PlayerError: user jane failed\n"
        "some stray line with words\n"
    )
    kept = treatments.stack(trace)
    assert kept.splitlines() == [
        "Traceback (most recent call last):",
        '  File "game/main.py", line 12, in go',
        "game.errors.PlayerError: user <name> failed",
    ]


def test_javascript_and_java_frames_are_kept() -> None:
    js = "TypeError: x is not a function\n    at handle (/srv/app/node_modules/lib/a.js:10:5)\n    at b.js:1:2"
    assert "at handle (node_modules/lib/a.js:10:5)" in treatments.stack(js)
    java = "Caused by: java.io.IOException: host 10.1.2.3\n\tat com.tta.Game.run(Game.java:42)"
    kept = treatments.stack(java)
    assert "com.tta.Game.run(Game.java:42)" in kept
    assert "10.1.2.3" not in kept


@pytest.mark.parametrize(
    "token", ["llama3.2", "SELECT", "200", "meta-llama/llama-3.1-8b-instruct:free"]
)
def test_plain_tokens_are_kept(token: str) -> None:
    assert treatments.keep(token) == token


@pytest.mark.parametrize("value", ["07700900461", "a@b.example", "eyJhbGciOi.eyJzdWIi.x"])
def test_a_token_that_identifies_is_masked(value: str) -> None:
    assert value not in treatments.keep(value)


def test_user_agents_keep_the_product_only() -> None:
    assert treatments.product("Mozilla/5.0 (X11; Linux x86_64)") == "Mozilla"
    assert treatments.product("(weird)") == "<user_agent>"


def test_hosts_and_labels_are_kept_when_plain() -> None:
    assert treatments.host("127.0.0.1:18080") == "127.0.0.1:18080"
    assert treatments.host("jane@example.com") == "<email>"
    assert treatments.label("NVIDIA H200") == "NVIDIA H200"


def test_pseudonyms_are_stable_within_a_day_and_unlinkable_between_days(keys: KeyStore) -> None:
    pseudonyms = Pseudonyms(keys, "operations")
    today, tomorrow = date(2026, 3, 1), date(2026, 3, 2)
    assert pseudonyms.of("jane", today) == pseudonyms.of("jane", today)
    assert pseudonyms.of("jane", today) != pseudonyms.of("jane", tomorrow)
    assert "jane" not in pseudonyms.of("jane", today)


def test_an_attribute_nobody_listed_is_dropped() -> None:
    decision = load_allow_list().decide("span", "patient.note")
    assert decision.treatment is Treatment.DROP
    assert not decision.is_listed


def test_message_content_is_listed_to_be_dropped_and_exact_entries_win() -> None:
    policy: AllowList = load_allow_list()
    assert policy.decide("span", "gen_ai.input.messages").treatment is Treatment.DROP
    assert policy.decide("span", "gen_ai.request.model").treatment is Treatment.NAME
    assert policy.decide("span", "gen_ai.request.stop_sequences").treatment is Treatment.DROP
    assert policy.is_known("gen_ai.prompt.0.content")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("/home/nadia/report-nadia.pdf", "{id}.pdf"),
        ("src/agents/ba0a8c10-2820-28b2-9b3f-2b3b0ff48f47/prompt.py", "agents/{id}/prompt.py"),
        ("logs/jane.doe@mail.com.log", "logs/{id}.log"),
        ("uploads/5551234567.json", "uploads/{id}.json"),
        ("/usr/lib/python3.11/site-packages/luigi/worker.py", "site-packages/luigi/worker.py"),
        ("/app/src/agents/narrative_engine.py", "agents/narrative_engine.py"),
    ],
)
def test_a_file_keeps_its_name_unless_that_tells_of_a_person(written: str, kept: str) -> None:
    assert treatments.file(written) == kept
    assert treatments.file(kept) == kept


@pytest.mark.parametrize(
    "bare",
    [
        "zonsorkmus",
        "Tfaxd3nnmhx7dA",
        "6RqBHDsfPU446YC6wB95vHgLpa7Khyiv",
        "0724359071900807556940446abcdef0",
        "Nadia",
        "4111111111111111",
    ],
)
def test_an_enumeration_takes_no_name_and_no_secret(bare: str) -> None:
    assert bare not in treatments.keep(bare)
    assert bare not in treatments.label(bare)


@pytest.mark.parametrize(
    "value",
    ["GET", "HTTP/1.1", "cognitive_reframing", "tool_calls", "PHQ-9", "softirq", "-0.5", "h2"],
)
def test_an_enumeration_keeps_words_of_software_and_language(value: str) -> None:
    assert treatments.keep(value) == value


@pytest.mark.parametrize(
    "value",
    ["zephyr-api", "gpt-4o-2024-08-06", "ZorblaxError", "Qwen/Qwen2.5-72B-Instruct", "pool_01"],
)
def test_names_of_programs_stay_unless_they_look_like_a_secret(value: str) -> None:
    assert treatments.name(value) == value
    assert treatments.name("venCF7x9xeMfmn") != "venCF7x9xeMfmn"


def test_a_product_keeps_its_model_and_a_sentence_does_not_pass_for_one() -> None:
    assert treatments.label("NVIDIA GeForce RTX 4090") == "NVIDIA GeForce RTX 4090"
    assert "000872" not in treatments.label("calling +44 7694 000872 failed")
    assert "lispriandjux" not in treatments.file("I cannot sleep since lispriandjux left")


def test_no_digits_of_an_opaque_id_stay_in_an_enumeration() -> None:
    assert not any(c.isdigit() for c in treatments.keep("07243590719008075569404460abcdef"))


def test_what_a_treatment_remembers_stays_within_its_bytes_and_right() -> None:
    asked: list[str] = []

    def treat(value: str) -> str:
        asked.append(value)
        return value.upper()

    remembered = Remembered(treat)
    for number in range(40):
        assert remembered("often") == "OFTEN"
        assert remembered(f"{number}" + "x" * 200_000) == f"{number}" + "X" * 200_000
    held = sum(len(k) + len(v) for k, v in remembered._known.items())
    assert held <= 6_000_000
    assert 1 < asked.count("often") < 10
    remembered.forget()
    assert remembered("often") == "OFTEN"
