"""A message keeps the words of its template and of programs; what somebody sent is typed or masked."""

import subprocess
import sys

import pytest

from ingestion.settings import sources as setting_sources
from privacy.process_log.log import told
from privacy.process_log.repeated_messages import WINDOW_S, Repeats
from privacy.process_log.words import error_words, gated, message_of, strictly_gated
from tests.clocks import Seconds
from tests.conftest import ROOT
from tests.e2e.canaries import Canary, canaries

_TOLD = [
    ("Retrieved %d queued runs, checking limits.", (1,), "Retrieved 1 queued runs, checking limits."),
    ("Checking for new runs for sensor: %s", ("retention_catch_up",),
     "Checking for new runs for sensor: retention_catch_up"),
    ("Failed to export metrics batch code: %s, reason: %s", (503, "Service Unavailable"),
     "Failed to export metrics batch code: 503, reason: Service Unavailable"),
    ("Failed to export %s batch code: %s, reason: %s", ("span", 503, "Max retries of Max exceeded"),
     "Failed to export span batch code: 503, reason: Max retries of <word> exceeded"),
    ("Uvicorn running on %s://%s:%d", ("http", "127.0.0.1", 4320),
     "Uvicorn running on http://127.0.0.1:4320"),
    ("Code location tta_monitor failed to load", (), "Code location tta_monitor failed to load"),
    ("%(count)s rows of %(who)s", {"count": 3, "who": "Eva Lindqvist"}, "3 rows of <name>"),
    ("%s wrote %s", ("priya.k", "the happy ending of my divorce"), None),
    ("message for +44 7911 123456 from eva.lindqvist@example.org", (), None),
    ("card 4111 1111 1111 1111 of %s", ("Siobhan",), None),
    ("sent %d", (447911123456,), "sent 450000000000"),
    ("progress 100%% of %s", ("rows",), "progress 100% of rows"),
    ("%d of what", ("no number",), "%d of what"),
    ("encountered while exporting, retrying in 1.03s.", (), "encountered while exporting, retrying in 1.03s."),
    ("step took %s and %s", ("1.5s", "2 min"), "step took 1.5s and 2 min"),
    ("call +44 7911 123456 s", (), None),
]  # fmt: skip


@pytest.mark.parametrize(("template", "arguments", "expected"), _TOLD)
def test_a_message_keeps_its_words_and_loses_what_somebody_sent(
    template: str, arguments: object, expected: str | None
) -> None:
    said = message_of(template, arguments)
    assert expected in (None, said)
    for private in (
        "Eva",
        "eva",
        "ndqvist",
        "priya",
        "divorce",
        "happy",
        "7911",
        "4111",
        "Siobhan",
    ):
        assert private not in said


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyError("eva"), "KeyError: '<value>'"),
        (ValueError("could not convert string to float: 'happy ending'"),
         "ValueError: could not convert string to float: '<value>'"),
        (FileNotFoundError(2, "No such file or directory", "/home/eva/diary"), None),
        (RuntimeError(), "RuntimeError"),
        (ValueError("an unhappy marriage of Grace and Will"), None),
    ],
)  # fmt: skip
def test_an_error_tells_its_type_and_words_of_programs(error: Exception, words: str | None) -> None:
    said = error_words(error)
    assert said.startswith(type(error).__name__)
    assert words in (None, said)
    for private in ("eva", "happy", "diary", "marriage", "Grace", "Will"):
        assert private not in said


def test_an_error_is_told_with_its_place() -> None:
    class Broken(dict):
        def items(self) -> object:
            raise ValueError("no such table")

    with pytest.raises(ValueError) as elsewhere:
        Broken().items()
    assert told(elsewhere.value) == "ValueError: no such table at a library"
    with pytest.raises(ValueError) as ours:
        setting_sources.merged({}, Broken())
    assert told(ours.value).startswith(
        "ValueError: no such table at ingestion/settings/sources.py:"
    )


@pytest.mark.parametrize("one", canaries(seed=7, per_kind=12), ids=lambda one: one.kind)
def test_no_way_into_a_message_carries_what_a_sender_sent(one: Canary) -> None:
    said = " | ".join(
        [
            gated(one.sentence),
            gated(f"loading {one.text!r} failed"),
            message_of("loading %s failed: %r", (one.text, [one.text])),
            message_of(f"{one.sentence} %s", (one.sentence,)),
            error_words(ValueError(one.sentence)),
            error_words(KeyError(one.text)),
            error_words(RuntimeError(one.text, one.sentence)),
        ]
    )
    assert [needle for needle in one.needles if needle in said] == []


def test_gating_is_idempotent_and_bounded() -> None:
    text = "user Eva Lindqvist of 'a b' has 123456789 and eva@example.org " * 300
    assert gated(gated(text)) == gated(text)
    assert len(strictly_gated(text)) <= 1_500


def test_a_repeat_is_counted_and_told_when_its_window_ends() -> None:
    clock, said = Seconds(), []
    repeats: Repeats[str] = Repeats(lambda one, more: said.append(f"{one} {more}"), clock)
    assert repeats.is_new("a", "A") and repeats.is_new("b", "B")
    for _ in range(117):
        assert not repeats.is_new("a", "A")
    assert said == []
    clock.now_s += WINDOW_S
    assert repeats.is_new("c", "C")
    assert said == ["A (repeated 117 times within 10 min)"]
    assert repeats.is_new("a", "A")
    assert not repeats.is_new("a", "A")
    repeats.flush()
    assert said[1:] == ["A (repeated once within 10 min)"]


def test_many_different_messages_take_a_bounded_memory() -> None:
    said: list[str] = []
    repeats: Repeats[str] = Repeats(lambda one, _: said.append(one), Seconds())
    assert not [n for n in range(5_000) if not repeats.is_new(str(n), str(n))]
    assert len(repeats._seen) <= 500
    assert not repeats.is_new("4999", "4999")
    assert said == []


_LOGGING = """
import logging
from privacy.process_log.log import guard, logger
guard()
logging.basicConfig(level="INFO", format="%(message)s")
for number in range(118):
    logging.getLogger("a.library").info("Launched %d runs", number)
for number in range(3):
    logger().warning("a notification failed", channel="webhook")
logging.getLogger("a.library").warning("done")
"""


def test_a_process_writes_a_repeated_line_once_and_its_number_at_the_end() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOGGING], capture_output=True, text=True, cwd=ROOT, check=True
    )
    lines = done.stderr.splitlines()
    assert lines[0] == "Launched 0 runs"
    assert [line.count("a notification failed") for line in lines] == [0, 1, 0, 1, 0]
    assert lines[2] == "done"
    assert lines[3].endswith("(repeated 2 times within 10 min)")
    assert lines[4] == "Launched 0 runs (repeated 117 times within 10 min)"


def test_a_log_line_loads_no_model() -> None:
    code = (
        "import logging, sys\nfrom privacy.process_log.log import guard\nguard()\nlogging.basicConfig()\n"
        "logging.error('Failed to export batch of %s', 'Siobhan')\n"
        "print(sorted({'spacy', 'presidio_analyzer', 'numpy', 'rich', 'asyncio'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "[]"
    assert done.stderr.strip() == "ERROR:root:Failed to export batch of <word>"
