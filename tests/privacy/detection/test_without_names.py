"""A process that reads logs alone: without spaCy, with the same findings, and proven all the same."""

import json
import lzma
import subprocess
import sys
from pathlib import Path

import pytest

from privacy.detection import canary
from privacy.detection.canary import canaries
from privacy.detection.vocabulary.lexicon import LISTS, WordList
from privacy.gate.treatments import scrub
from tests.conftest import ROOT
from tests.privacy.detection.labelled import HELD_OUT

_LEAN = """
import json, sys
from privacy.detection.without_names import without_names
without_names()
from privacy.detection.identity import current
from privacy.gate.treatments import scrub
texts = json.load(sys.stdin)
is_there = "spacy.lang" in sys.modules or "thinc.model" in sys.modules
json.dump([[scrub(t) for t in texts], current().by_type, is_there], sys.stdout)
"""


def test_a_process_without_names_scrubs_and_counts_as_one_with_them() -> None:
    texts = [c.text for c in canaries()]
    texts += (HELD_OUT / "logs.txt").read_text(encoding="utf-8").splitlines()
    done = subprocess.run(
        [sys.executable, "-c", _LEAN],
        input=json.dumps(texts), capture_output=True, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    scrubbed, by_type, is_there = json.loads(done.stdout)
    assert scrubbed == [scrub(text) for text in texts]
    assert {k: tuple(v) for k, v in by_type.items()} == canary.run().by_type
    assert not is_there


@pytest.mark.parametrize(("told", "code"), [(b"", 1), (b'{"PERSON": 99}', -9)])
def test_names_nobody_could_prove_count_as_missed(told: bytes, code: int) -> None:
    counted = canary.of_messages(told, code)
    assert counted["PERSON"][1] > 0
    assert {found for found, _ in counted.values()} == {0}


def test_a_list_of_words_holds_its_words_and_nothing_else() -> None:
    words = {f"w{n:04}" for n in range(0, 2_000, 2)} | {"a", "abcde", "abcdef", "zürich"}
    found = WordList("\n".join(sorted(words)))
    assert set(found) == words
    assert len(found) == len(words)
    assert all(word in found for word in words)
    others = {f"w{n:04}" for n in range(1, 2_000, 2)} | {"", "b", "abc", "zz", "a\nabcde", "\n"}
    assert not any(word in found for word in others)


@pytest.mark.parametrize("path", sorted(LISTS.glob("*.txt.xz")), ids=lambda path: path.name)
def test_a_shipped_list_is_in_order_with_each_word_once(path: Path) -> None:
    lines = lzma.decompress(path.read_bytes()).decode().split("\n")
    assert lines == sorted(set("\n".join(lines).split()))
