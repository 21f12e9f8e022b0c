"""No id of ours can be taken for a number of somebody's: each has a letter."""

import pytest

from live_tail.alerts.words.rule_records import fingerprint
from privacy.keys import ids
from privacy.keys.ids import id_text, new_id
from privacy.leaks.detector import LeakDetector

CARD = "4000000000000002"
PHONE = "004915112345"


@pytest.mark.parametrize("digits", [CARD, PHONE, "0" * 16])
def test_an_id_of_digits_alone_gets_a_letter_and_is_no_leak(digits: str) -> None:
    assert not id_text(digits).isdecimal()
    assert len(id_text(digits)) == len(digits)
    assert not LeakDetector().find(f"alert {id_text(digits)}-1 fired".encode())


def test_the_scan_would_take_digits_alone_for_a_card() -> None:
    assert LeakDetector().find(f"alert {CARD} fired".encode()) == {"card": 1}


def test_an_id_with_a_letter_stays_as_it_is() -> None:
    assert id_text("40000000000000af") == "40000000000000af"


def test_new_ids_have_a_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids.secrets, "token_hex", lambda size: "7" * 2 * size)
    assert new_id(6) == "a77777777777"


def test_no_fingerprint_of_fifty_thousand_alerts_is_digits_alone() -> None:
    names = {fingerprint("Slow", (("route", f"/{n}"),)) for n in range(50_000)}
    assert len(names) == 50_000
    assert not any(name.isdecimal() for name in names)
