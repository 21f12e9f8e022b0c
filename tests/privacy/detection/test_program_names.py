"""Names of programs, machines and routes: known words stay, words that nobody knows do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.detection.shapes.paths import template_path
from privacy.detection.shapes.program_names import known_host, without_unknown
from privacy.gate import treatments


@pytest.mark.parametrize(
    "name",
    """gpt-4o-mini claude-3-5-sonnet-20241022 meta-llama/Llama-3.2-3B mixtral-8x7b qwen2.5-coder-32b
    postgresql clickhouse neo4j azure.ai.openai opentelemetry.instrumentation.fastapi
    sqlalchemy.engine.Engine psycopg2.errors.UniqueViolation QdrantTimeoutError
    java.util.concurrent.TimeoutException scene_01_intro enchanted_forest OrderService/PlaceOrder
    tta-api-7d9f8b6c5-x2x9z eu-central-1a NVIDIA-H200 get_player_profile""".split(),
)
def test_a_name_of_software_stays_whole(name: str) -> None:
    assert without_unknown(name) == name


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("krorquiastdeth", "<word>"),
        ("jkeller84", "<word>"),
        ("dragonqueenie_92", "<word>_92"),
        ("world-of-mkeller", "world-of-<word>"),
        ("Claude", "<word>"),
        ("MariaError", "<word>"),
        ("bwKGbCXAabThyD", "<word>"),
    ],
)
def test_a_part_that_nobody_knows_is_masked(name: str, kept: str) -> None:
    assert without_unknown(name) == kept
    assert treatments.name(name) == kept


@pytest.mark.parametrize(
    ("host", "kept"),
    [
        ("neo4j-primary.tta.svc.cluster.local", "neo4j-primary.tta.svc.cluster.local"),
        ("10.0.0.7:5432", "10.0.0.7:5432"),
        ("[::1]:80", "[::1]:80"),
        ("ip-10-0-0-1.ec2.internal", "ip-10-0-0-1.ec2.internal"),
        ("198.51.100.7:443", "<ip>:443"),
        ("70.106.95.155", "<ip>"),
        ("2001:db8::7", "<ip>"),
        ("line-70.106.95.155.internal", "line-<word>.internal"),
        ("kaveh-thinkpad", "<word>-thinkpad"),
    ],
)
def test_a_host_stays_when_it_is_the_sites_or_made_of_known_words(host: str, kept: str) -> None:
    assert known_host(host) == kept
    assert treatments.host(host) == kept


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/home/moonlitfox/notes.txt", "/home/{id}/notes.txt"),
        ("/worlds/krorquiast/scenes", "/worlds/{id}/scenes"),
        ("/files/krorquiast.txt", "/files/{id}"),
        ("/players/sunflower", "/players/{id}"),
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/quests/{quest_id}/choices", "/quests/{quest_id}/choices"),
        ("/<krorquiast7>/x", "/{id}/x"),
    ],
)
def test_a_route_keeps_the_segments_that_are_known(path: str, kept: str) -> None:
    assert template_path(path) == kept
    assert template_path(kept) == kept


def test_a_command_that_no_database_has_is_masked() -> None:
    assert treatments.statement("HGETALL player:17") == "HGETALL ?"
    assert treatments.statement("krorquiast player:17") == "<word> ?"


def test_an_operator_may_call_a_service_anything_that_is_no_secret() -> None:
    assert treatments.service("krorquiast-api") == "krorquiast-api"
    assert treatments.service("maria@example.org") == "<email>"


@given(st.text("abcdefgh019._-/:<>", min_size=1, max_size=40))
def test_what_is_left_of_a_name_is_left_alone(name: str) -> None:
    once = without_unknown(name.replace("<", "").replace(">", ""))
    assert without_unknown(once) == once
