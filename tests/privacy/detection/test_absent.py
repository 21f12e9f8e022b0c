"""A library that a process does without can be named by others, and does nothing."""

import sys
from collections.abc import Iterator

import pytest

from privacy.detection.vocabulary.absent import Absent


@pytest.fixture
def colours() -> Iterator[Absent]:
    """Without a library that nobody here has imported."""
    absent = Absent("antigravity_colours")
    absent.begin()
    yield absent
    if absent.is_active:
        absent.end()


def test_what_is_imported_of_it_annotates_derives_and_decorates(colours: Absent) -> None:
    from antigravity_colours.deep.inside import Hue, register  # type: ignore[import-not-found]

    class Own(Hue):
        @register.misc("name")
        def paint(self, hue: Hue | None = None) -> str:
            return "painted"

    assert Own.paint(Own) == "painted"
    with pytest.raises(RuntimeError, match="does without what Hue belongs to"):
        Hue()


def test_afterwards_it_is_what_it_is(colours: Absent) -> None:
    import antigravity_colours  # type: ignore[import-not-found]

    assert not hasattr(antigravity_colours, "__wrapped__")
    colours.end()
    with pytest.raises(ModuleNotFoundError):
        import antigravity_colours


def test_what_is_there_already_cannot_be_done_without() -> None:
    assert "json" in sys.modules
    with pytest.raises(RuntimeError, match="json is there already"):
        Absent("json").begin()
