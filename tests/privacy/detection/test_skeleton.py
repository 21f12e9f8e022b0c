"""What free text looks like after the gate."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.detection.cues import skeletonise
from privacy.gate.treatments import scrub

IDENTIFIERS = [
    "alice@example.com",
    "alice.smith+x@mail.example.org",
    "alice at example dot com",
    "alice(at)example.com",
    "07700900461",
    "+1 (555) 123-4567",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "192.0.2.17",
    "fe80::1ff:fe23:4567:890a",
    "2001:db8:0:0:0:0:2:1",
    "00:1b:63:84:45:e6",
    "078-05-1120",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2ln",
    "sk-abcdefghijklmnop1234",
    "783d135e-236a-4c2b-9d5e-0f1e2d3c4b5a",
    "/home/alice/notes.txt",
    "C:\\Users\\alice\\notes.txt",
]


@pytest.mark.parametrize("identifier", IDENTIFIERS)
@pytest.mark.parametrize(
    "template", ["failed for {}", "{} was rejected", "value={}, retrying", "({})"]
)
def test_no_identifier_with_a_format_survives(identifier: str, template: str) -> None:
    assert identifier not in scrub(template.format(identifier))
    assert "alice" not in scrub(template.format(identifier))


@pytest.mark.parametrize(
    "line",
    [
        "Creating player profile for username=wetherby, role=player",
        "User wetherby created successfully",
        "Error retrieving user wetherby",
        "Failed login for user 'wetherby'",
        'player "wetherby" left',
        "username: wetherby",
        "password=wetherby",
        "Bearer wetherby-token",
        "Hello Wetherby",
    ],
)
def test_a_name_after_a_cue_is_masked(line: str) -> None:
    assert "wetherby" not in skeletonise(line).lower()


@pytest.mark.parametrize(
    "line",
    [
        "Enhancing scene with therapeutic elements",
        "save_message failed: FOREIGN KEY constraint failed",
        "'_InMemoryRepo' object has no attribute 'get_player_profile'",
        "Neo4j health check failed for neo4j: Couldn't connect",
        "user session expired",
        "token expired",
        "chat llama3.2",
        "sequential.step_0",
    ],
)
def test_the_words_of_a_template_stay(line: str) -> None:
    assert skeletonise(line) == line


def test_two_requests_of_one_template_share_a_skeleton() -> None:
    first = skeletonise("Request 0c4f1c1e-7a11-4b0e-9c57-1d2f3a4b5c6d completed in 0.123s")
    second = skeletonise("Request 77aa1c1e-7a11-4b0e-9c57-1d2f3a4b5c6d completed in 12.5s")
    assert first == second == "Request <uuid> completed in <duration>"


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_a_skeleton_of_any_text_is_made_and_holds_no_long_digits(text: str) -> None:
    import re

    assert not re.search(r"[0-9]{7}", scrub(text))


@given(st.emails())
@settings(max_examples=200, deadline=None)
def test_no_generated_address_survives(address: str) -> None:
    local = address.rpartition("@")[0]
    assert f"{local}@" not in scrub(f"sent to {address} twice")
