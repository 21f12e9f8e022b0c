"""The card's figures are read as they stand there; without a card there are none."""

from pathlib import Path

from privacy.detection.model_card import CARD, held_out


def test_every_line_of_the_cards_table_is_read() -> None:
    section = CARD.read_text().partition("## The whole stack")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][1:]
    found = held_out()
    assert len(found) == len(lines) >= 3
    assert {f.text for f in found} >= {"chat", "logs and exceptions"}
    assert all(0 < f.low <= f.recall <= f.high <= 1 and f.spans > 0 for f in found)


def test_without_a_card_or_its_table_nothing_was_measured(tmp_path: Path) -> None:
    assert held_out(tmp_path / "none.md") == ()
    (tmp_path / "card.md").write_text("# Card\n## The whole stack\nnothing yet\n")
    assert held_out(tmp_path / "card.md") == ()
