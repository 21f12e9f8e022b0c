"""The key-encryption key (KEK): where it comes from, and writing a new one there.

Here: the four sources in their order and the text form of a KEK. Not here: what it wraps (`keys`)
and how it is replaced while everything runs (`rotation`).

`TTA_KEK_FILE` (path, 0600) > `TTA_MONITOR_KEK` > OS keyring, when `TTA_KEK_KEYRING` names an entry >
`keys/kek`. A source holds one KEK in base64, or during a rotation two: the new one, a comma or a
line break, the old one. The first wraps, each of them opens.
"""

import base64
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from privacy.disk.files import write_new, write_over
from privacy.keys.sealing import KEY_BYTES, KeyProblem

KEYRING_SERVICE = "tta-monitor"


@dataclass(frozen=True)
class KekSource:
    """Where the KEK is kept; `read` and `write` take its text form, `write` is None if it is not ours."""

    name: str
    read: Callable[[], str | None] = field(repr=False)
    write: Callable[[str], None] | None = field(repr=False, default=None)

    def keks(self) -> list[bytes]:
        """The KEKs, the one that wraps first; empty when there is none. Raises KeyProblem."""
        text = self.read()
        return [] if text is None else _decode(text, self.name)


def find_source(folder: Path) -> KekSource:
    """The source that applies to a `keys/` folder, the first that is chosen."""
    path = os.environ.get("TTA_KEK_FILE")
    if path:
        file = Path(path)
        return KekSource(f"TTA_KEK_FILE ({path})", lambda: _read_file(file), _writer(file))
    if os.environ.get("TTA_MONITOR_KEK"):
        return KekSource("TTA_MONITOR_KEK", lambda: os.environ.get("TTA_MONITOR_KEK"))
    entry = os.environ.get("TTA_KEK_KEYRING")
    if entry:
        return KekSource(
            f"keyring entry {entry}",
            lambda: _read_keyring(entry),
            lambda text: _write_keyring(entry, text),
        )
    file = folder / "kek"
    return KekSource(str(file), lambda: _read_file(file) if file.exists() else None, _writer(file))


def create(source: KekSource) -> None:
    """Put a fresh KEK where there is none; the first of several racing processes wins.

    Raises KeyProblem where the product cannot write one.
    """
    if source.write is None:
        raise KeyProblem(f"{source.name} is empty: give 32 random bytes in base64.")
    source.write(encode([fresh()]))


def encode(keks: list[bytes]) -> str:
    """The text form of one KEK, or of a new and an old one."""
    return "\n".join(base64.b64encode(kek).decode() for kek in keks)


def _decode(text: str, source: str) -> list[bytes]:
    keks = []
    for part in re.split(r"[,\s]+", text.strip()):
        try:
            kek = base64.b64decode(part, validate=True)
        except ValueError as error:
            raise KeyProblem(f"{source} is not base64. Give 32 random bytes in base64.") from error
        if len(kek) != KEY_BYTES:
            raise KeyProblem(f"{source} holds {len(kek)} bytes, a key has {KEY_BYTES}.")
        keks.append(kek)
    return keks


def _writer(file: Path) -> Callable[[str], None]:
    def write(text: str) -> None:
        content = text.encode() + b"\n"
        if file.exists():
            write_over(file, content)
        else:
            write_new(file, content)

    return write


def _read_file(path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise KeyProblem(f"{path} can be read by others. Run: chmod 600 {path}")
        # A rotation wipes what it replaced: a reader that had it open sees zeros and looks again.
        for _ in range(3):
            text = path.read_text()
            if "\0" not in text:
                break
        return text
    except OSError as error:
        raise KeyProblem(
            f"key file {path} cannot be read: {error.strerror}. Restore it, or correct TTA_KEK_FILE."
        ) from error
    except UnicodeDecodeError as error:
        raise KeyProblem(f"{path} is not base64. Give 32 random bytes in base64.") from error


def _read_keyring(entry: str) -> str | None:
    return _with_keyring(lambda keyring: keyring.get_password(KEYRING_SERVICE, entry))


def _write_keyring(entry: str, text: str) -> None:
    _with_keyring(lambda keyring: keyring.set_password(KEYRING_SERVICE, entry, text))


def _with_keyring(use: Callable[[Any], str | None]) -> str | None:
    """Ask the OS keyring; imported only when it is chosen, because a backend may start a bus."""
    try:
        import keyring  # noqa: PLC0415
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ImportError as error:
        raise KeyProblem(
            "TTA_KEK_KEYRING is set but the package keyring is missing. Install it, or use TTA_KEK_FILE."
        ) from error
    try:
        return use(keyring)
    except KeyringError as error:
        raise KeyProblem(
            f"TTA_KEK_KEYRING is set but no OS keyring answers here ({type(error).__name__}): headless "
            "hosts have none. Unlock or install one, or unset it and use TTA_KEK_FILE."
        ) from error


def fresh() -> bytes:
    """A new random key."""
    return secrets.token_bytes(KEY_BYTES)
