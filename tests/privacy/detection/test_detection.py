"""Detection on text written before the recognisers, by the same author: floors with intervals.

`held_out/` was written first and never looked at line by line while the recognisers were made;
the numbers on it are optimistic all the same, because one person wrote both.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.detection.cues import skeletonise
from privacy.detection.redact import redact
from privacy.detection.vocabulary.findings import Finding, render, union
from privacy.gate.treatments import scrub
from tests.privacy.detection.labelled import measure, read

STRUCTURED = frozenset({"EMAIL", "PHONE", "IP", "ID", "SECRET", "URL"})


@pytest.mark.parametrize(
    ("name", "kind", "lower", "floor"),
    [
        ("chat.txt", "chat", False, 0.95),
        ("chat.txt", "chat", True, 0.95),
        ("chat_other.txt", "chat", False, 0.95),
        ("logs.txt", "log", False, 0.97),
    ],
)
def test_recall_on_held_out_text(name: str, kind: str, lower: bool, floor: float) -> None:
    measured = measure(read(name), kind, lower=lower)
    low, high = measured.interval
    assert measured.recall >= floor, f"{measured.recall:.3f} [{low:.3f}, {high:.3f}]"
    assert low > floor - 0.06


def test_nine_of_ten_neutral_words_of_a_log_survive() -> None:
    assert measure(read("logs.txt"), "log").survival >= 0.90


def test_neutral_chat_stays_readable() -> None:
    assert measure(read("chat.txt"), "chat").survival >= 0.90


@pytest.mark.parametrize(
    "message",
    [
        "I walk toward the castle gate and raise my lantern",
        "What if I just open the door?",
        "I rate my mood 3 out of 10",
        "will I ever feel normal again?",
        "ich öffne die Tür und gehe langsam hinaus",
    ],
)
def test_a_message_about_nobody_is_left_alone(message: str) -> None:
    assert redact(message, "chat").text == message


def test_offsets_are_code_points_of_the_input() -> None:
    text = "😀😀 write to jo@example.org"
    (span,) = redact(text, "chat").spans
    assert text[span.start : span.end] == "jo@example.org"


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="chat, log"):
        redact("x", "poem")


def test_the_same_word_is_a_name_or_a_word_by_what_stands_around_it() -> None:
    assert "grace" not in redact("i told grace about it", "chat").text
    assert "hope" in redact("I hope tomorrow is easier", "chat").text


@pytest.mark.parametrize(
    "line",
    [
        "Assigned Thandiwe Mokoena to group",
        "export failed for wolfgangus",
        'profile saved name="Emeka Nwosu"',
        "player said: Rosa left me and I want to disappear",
        "uploaded /exports/thandiwe/diary.pdf",
    ],
)
def test_names_without_a_cue_do_not_survive_in_logs(line: str) -> None:
    kept = scrub(line).lower()
    for name in ("thandiwe", "mokoena", "wolfgangus", "emeka", "nwosu", "rosa"):
        assert name not in kept


def test_findings_that_overlap_become_one() -> None:
    merged = union([Finding(4, 9, "b"), Finding(0, 5, "a"), Finding(1, 2, "c")])
    assert merged == [Finding(0, 9, "a")]
    assert render("0123456789", merged) == "<a>9"


@given(st.text(max_size=120), st.sampled_from(["chat", "log"]))
@settings(max_examples=200, deadline=None)
def test_spans_are_ordered_apart_and_inside_the_text(text: str, kind: str) -> None:
    at = 0
    for span in redact(text, kind).spans:
        assert at <= span.start < span.end <= len(text)
        at = span.end


def test_a_scrubbed_line_scrubs_to_itself() -> None:
    line = "user bob from 10.1.2.3 failed after 12ms with KeyError 'mood'"
    assert scrub(scrub(line)) == scrub(line)
    assert skeletonise(skeletonise(line)) == skeletonise(line)


@pytest.mark.parametrize(
    ("line", "typed"),
    [
        (
            "ValueError: invalid literal for int() with base 10: 'the old mill by the sea'",
            "old mill",
        ),
        ("ValueError: 'purple elephant' is not in list", "elephant"),
        ("KeyError: 'my grandmother'", "grandmother"),
        ('Unhandled message type "kiss" from client', "kiss"),
        ("UniqueViolation: Key (nickname)=(silent river) already exists.", "silent river"),
        ("story rejected as too long: then i ran away from them", "ran away"),
    ],
)
def test_an_error_that_quotes_what_somebody_typed_keeps_its_template_only(
    line: str, typed: str
) -> None:
    redacted = redact(line, "log").text
    assert typed not in redacted
    assert redacted.split()[0] == line.split(maxsplit=1)[0]


@pytest.mark.parametrize("name", ["Philippa", "Claude", "Gemma", "Klaus", "Lourdes", "Luis"])
def test_a_name_that_resembles_a_word_of_programs_is_masked_in_logs(name: str) -> None:
    assert name not in redact(f"the nurse {name} closed the chat", "log").text
    assert redact("claude-3-5-sonnet and phi-3 answered", "log").text.startswith("claude-3-5")


@pytest.mark.parametrize(
    "line",
    [
        "'NoneType' object has no attribute 'session'",
        "send() got an unexpected keyword argument 'timeout'",
        "No module named 'tta_agents.orchestration'",
    ],
)
def test_quoted_words_of_programs_stay(line: str) -> None:
    assert redact(line, "log").text == line
