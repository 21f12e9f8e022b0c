"""What our processes say of themselves: measurements are readable, identifiers are not there."""

import pytest

from privacy.process_log.log import scrubbed
from privacy.process_log.sentences import own_sentence
from tests.e2e.canaries import Canary, canaries

_UUID = "0b9f3d1e-8c1a-4d55-9d0c-2f1f3c9a7e10"


@pytest.mark.parametrize(
    "sentence",
    [
        'Finished execution of step "landed" in 1.23s.',
        'Finished execution of step "marts" in 1m12s.',
        "batch - 81234 - landed - started process with pid 81234",
        "drained spool rows 1 to 10161 into 12 files",
        "landed 12345678 rows in 3.5 min",
        "no answer within 10 s",
        "the target answered 503",
        "listening on port 43180",
        "the answer is larger than 16777216 bytes",
    ],
)
def test_durations_counts_process_ids_and_ports_stay(sentence: str) -> None:
    assert own_sentence(sentence) == sentence


@pytest.mark.parametrize(
    ("sentence", "private"),
    [
        (f"run {_UUID} failed", "0b9f3d1e"),
        ("call 07700900461 now", "0770"),
        ("call +44 7911 123456 rows", "7911"),
        ("card 4111 1111 1111 1111 files", "4111"),
        ("at 52.520008, 13.404954", "52.5"),
        ("born 1987-04-12", "1987"),
        ("12.04.1987 rows", "1987"),
        ("player=12 of user 34521234567", "34521234567"),
    ],
)
def test_what_may_tell_somebody_goes(sentence: str, private: str) -> None:
    assert private not in own_sentence(sentence)


@pytest.mark.parametrize("one", canaries(seed=11, per_kind=12), ids=lambda one: one.kind)
def test_no_number_of_anybody_counts_as_a_measurement(one: Canary) -> None:
    """A sentence of ours quotes nobody; should one do so, numbers of a person are no amounts."""
    if any(needle.isdigit() and len(needle) <= 6 for needle in one.needles):
        pytest.skip("a short number by itself tells nobody")
    said = own_sentence(f"reading {one.text} took 3 s")
    assert [n for n in one.needles if any(c.isdigit() for c in n) and n in said] == []


def test_a_field_of_our_log_says_its_numbers() -> None:
    entry = scrubbed({"event": "a scrape was refused", "cause": "401", "job": "node 9"})
    assert entry == {"event": "a scrape was refused", "cause": "401", "job": "node 9"}
