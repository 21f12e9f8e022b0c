"""Watched files: a valid change is taken over, a wrong one leaves the value before and says why."""

import os
from pathlib import Path

import pytest

from privacy.disk.watched import Watched


class Wrong(Exception):
    """The file holds no number."""


class Numbers:
    """A file with a number, watched with a clock of its own."""

    def __init__(self, file: Path, look_every_s: float = 0.0) -> None:
        self.file, self.now_s, self.read, self.told = file, 0.0, 0, []
        self.watched = Watched(
            lambda: [file],
            self.parse,
            Wrong,
            otherwise=lambda: -1,
            on_refusal=lambda problem: self.told.append(str(problem)),
            look_every_s=look_every_s,
            monotonic=lambda: self.now_s,
        )

    def parse(self) -> int:
        self.read += 1
        text = self.file.read_text() if self.file.exists() else "0"
        if not text.isdigit():
            raise Wrong(f"{text} is no number")
        return int(text)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "number"


def test_a_valid_change_is_taken_over_and_a_file_that_stays_is_not_read_again(file: Path) -> None:
    numbers = Numbers(file)
    assert numbers.watched.value == 0 and not numbers.watched.look()
    file.write_text("700")
    assert numbers.watched.look() and numbers.watched.value == 700
    assert not numbers.watched.look() and numbers.read == 2
    file.unlink()
    assert numbers.watched.look() and numbers.watched.value == 0


def test_a_wrong_change_leaves_the_value_and_its_reason_is_told_once(file: Path) -> None:
    file.write_text("1")
    numbers = Numbers(file)
    file.write_text("two")
    assert not numbers.watched.look() and not numbers.watched.look()
    assert numbers.watched.value == 1 and str(numbers.watched.problem) == "two is no number"
    os.utime(file, ns=(1, 1))
    assert not numbers.watched.look()
    assert numbers.told == ["two is no number"]
    file.write_text("three")
    numbers.watched.look()
    assert numbers.told == ["two is no number", "three is no number"]
    file.write_text("2")
    assert numbers.watched.look() and numbers.watched.problem is None
    file.write_text("two")
    numbers.watched.look()
    assert len(numbers.told) == 3


def test_files_that_are_wrong_from_the_start_are_told_or_raised(file: Path) -> None:
    file.write_text("none")
    numbers = Numbers(file)
    assert numbers.watched.value == -1 and numbers.told == ["none is no number"]
    with pytest.raises(Wrong):
        Watched(lambda: [file], numbers.parse, Wrong)


def test_no_file_is_looked_at_more_often_than_it_should_be(file: Path) -> None:
    numbers = Numbers(file, look_every_s=2.0)
    file.write_text("1")
    numbers.now_s = 1.9
    assert not numbers.watched.look() and numbers.watched.value == 0
    numbers.now_s = 2.0
    assert numbers.watched.look() and numbers.watched.value == 1


def test_an_equal_value_stays_the_same_object(tmp_path: Path) -> None:
    file = tmp_path / "words"
    file.write_text("a b")
    words = Watched(lambda: [file], lambda: file.read_text().split(), Wrong)
    first = words.value
    file.write_text("a   b")
    assert words.look() and words.value is first


def test_a_file_of_the_same_size_and_time_is_a_change_when_it_was_replaced(file: Path) -> None:
    file.write_text("1")
    os.utime(file, ns=(5, 5))
    numbers = Numbers(file)
    other = file.with_name("other")
    other.write_text("2")
    os.utime(other, ns=(5, 5))
    other.replace(file)
    assert numbers.watched.look() and numbers.watched.value == 2


def test_a_file_that_comes_to_a_folder_or_leaves_it_is_a_change(tmp_path: Path) -> None:
    names = Watched(
        lambda: sorted(tmp_path.glob("*.yaml")),
        lambda: [path.name for path in sorted(tmp_path.glob("*.yaml"))],
        Wrong,
    )
    (tmp_path / "b.yaml").touch()
    assert names.look() and names.value == ["b.yaml"]
    (tmp_path / "a.yaml").touch()
    assert names.look() and names.value == ["a.yaml", "b.yaml"]
    (tmp_path / "b.yaml").unlink()
    assert names.look() and names.value == ["a.yaml"]
    assert names.problem is None


def test_an_error_that_is_no_refusal_is_not_swallowed(file: Path) -> None:
    numbers = Numbers(file)
    file.write_bytes(b"\xff")
    with pytest.raises(UnicodeDecodeError):
        numbers.watched.look()
