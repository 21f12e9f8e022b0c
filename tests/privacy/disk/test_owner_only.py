"""A file with a secret is read while nobody else may read it, and nothing of it is told."""

from pathlib import Path

import pytest

from privacy.disk.owner_only import NotReadable, owner_only_text


def secret(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    file = folder / "hook.url"
    file.write_bytes(content)
    file.chmod(mode)
    return file


def test_the_text_comes_without_the_space_around_it(tmp_path: Path) -> None:
    assert (
        owner_only_text(secret(tmp_path, b" https://example.org/x \n")) == "https://example.org/x"
    )


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_one_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(NotReadable, match="chmod 600 it"):
        owner_only_text(secret(tmp_path, b"https://example.org/x", mode))


def test_one_that_is_no_text_is_refused_without_a_byte_of_it(tmp_path: Path) -> None:
    with pytest.raises(NotReadable) as told:
        owner_only_text(secret(tmp_path, b"\xff\xfesecret"))
    assert str(told.value) == "cannot be read (UnicodeDecodeError)"
    assert told.value.__cause__ is None


def test_one_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(NotReadable, match=r"cannot be read \(FileNotFoundError\)"):
        owner_only_text(tmp_path / "hook.url")
