"""Private files: created once or replaced whole, 0600, durable, and wiped when they go.

Here: atomic writes, and wiping for key material. Not here: what is in the files, and who may write
when (`locks`).
"""

import contextlib
import os
import secrets
from pathlib import Path


def write_new(path: Path, content: bytes) -> None:
    """Create the file once: the first of several racing processes wins, none sees half a file."""
    temporary = _write_temporary(path, content)
    try:
        os.link(temporary, path)
    except FileExistsError:
        # Another process was first; its content is the content.
        path.stat()
    finally:
        temporary.unlink()
    sync_folder(path.parent)


def write_over(path: Path, content: bytes) -> None:
    """Replace the file in one step; what it held before is overwritten with zeros."""
    temporary = _write_temporary(path, content)
    before = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    if path.exists():
        os.link(path, before)
    temporary.replace(path)
    sync_folder(path.parent)
    if before.exists():
        wipe(before)


def write_whole(path: Path, content: bytes) -> None:
    """Put plain content in place in one step, unless it is there: no reader sees half of a file."""
    with contextlib.suppress(FileNotFoundError):
        if path.read_bytes() == content:
            return
    _write_temporary(path, content).replace(path)
    sync_folder(path.parent)


def put_in_place(temporary: Path, path: Path) -> None:
    """Let a file that is finished take its place: durable before and after, no reader sees half of it."""
    _sync(temporary)
    temporary.replace(path)
    sync_folder(path.parent)


def wipe(path: Path) -> None:
    """Overwrite with zeros, then unlink: the freed blocks of a plain disk hold no key."""
    with path.open("r+b") as file:
        file.write(b"\0" * path.stat().st_size)
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make what was created, renamed or unlinked in a folder durable."""
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_temporary(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return temporary
