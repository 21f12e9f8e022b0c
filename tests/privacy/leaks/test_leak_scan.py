"""What the leak scan takes for a leak, and what only looks like one in sealed bytes and dates."""

import random

import pytest

from privacy.leaks.detector import LeakDetector

EYE = LeakDetector()


@pytest.mark.parametrize(
    "text",
    [
        "+20 26 1125 99",
        "+2026112599",
        "+44 7700 900461",
        "call 0044 7700 900461 now",
        "me@ab.fr",
        "J.Doe@x9.de",
    ],
)
def test_short_addresses_and_numbers_are_still_found(text: str) -> None:
    assert sum(EYE.find(text.encode()).values()) == 1


@pytest.mark.parametrize(
    "text", ["+2026-11-25", "x\n+2026-11-25 15:46:01", "W0267\n+2026-11-25'\n", "\n6c@7G.fj\n"]
)
def test_a_date_beside_a_row_header_and_a_chance_of_sealed_bytes_are_not(text: str) -> None:
    assert EYE.find(text.encode()) == {}


def test_eight_megabytes_of_sealed_bytes_hold_nothing() -> None:
    chance = random.Random(7)
    assert EYE.find(chance.randbytes(8 * 1024 * 1024)) == {}


@pytest.mark.parametrize("before", [b"+", b"00", b"+5", b"+31", b"0052"])
def test_the_day_of_a_sealed_record_after_stray_bytes_is_no_phone(before: bytes) -> None:
    detector = LeakDetector()
    for after in (b"", b"7", b"07", b"(4", b" 3.1"):
        sealed = b"2026-11-25" + after + b"\x9c\x01"
        assert not detector.find(b"\x01" + before + sealed)["phone"]
        assert not detector.find(b"T10:00:00+00:00" + sealed)["phone"]
    assert detector.find(b"\x01+4915112345678\x9c")["phone"]
