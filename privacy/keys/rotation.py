"""Replacing the KEK while everything runs.

Here: the steps of a rotation, each of which may be the last one before a power cut. Not here: the
sources (`kek`) and the keys that are re-wrapped (`keys`). Data keys stay what they are, so no data
is written anew.

1. The source holds the new KEK, then the old one: the new one wraps, both open.
2. Every wrapped key is replaced, one file at a time, under the lock that creators take.
3. Everything opens with the new KEK: the source forgets the old one.

A process that holds the old KEK reads the source again when a key does not open, and always before
it makes a key. A rotation that was interrupted is finished by the next one.
"""

from dataclasses import dataclass
from pathlib import Path

from privacy.disk.files import write_over
from privacy.disk.locks import locked
from privacy.keys import kek
from privacy.keys.sealing import DataKey, KeyProblem, seal, unseal


@dataclass(frozen=True)
class Rotation:
    """What a rotation did; `is_old_key_yours_to_remove` when the KEK comes from the environment."""

    source: str
    rewrapped_keys: int
    was_interrupted: bool
    is_old_key_yours_to_remove: bool


def rotate(home: Path) -> Rotation:
    """Replace the KEK, or finish an interrupted replacement; raises KeyProblem with the fix."""
    folder = home / "keys"
    source = kek.find_source(folder)
    keks = source.keks()
    if not keks or not (folder / "check").exists():
        raise KeyProblem(
            f"{home} has no keys to rotate. Run `./tta.sh monitor up` to create a home."
        )
    was_interrupted = len(keks) > 1
    if not was_interrupted:
        keks = _announce(folder, source, keks[0])
    rewrapped = sum(_rewrap(folder, path, keks) for path in _wrapped_files(folder))
    if source.write is not None:
        with locked(folder / "lock"):
            for path in _wrapped_files(folder):
                if path.read_bytes().strip(b"\0"):
                    _open(path, _name(folder, path), [DataKey("kek", keks[0])])
            source.write(kek.encode(keks[:1]))
    is_env = source.write is None
    return Rotation(source.name, rewrapped, was_interrupted and not is_env, is_env)


def _announce(folder: Path, source: kek.KekSource, old: bytes) -> list[bytes]:
    if source.write is None:
        raise KeyProblem(
            f"{source.name} is set by your environment and cannot be replaced from here: set it to "
            "NEW,OLD (each 32 random bytes in base64), restart the processes one by one, run this "
            "command again, then remove OLD."
        )
    # Refuse before anything changes when the KEK at hand is not the one of this home.
    _open(folder / "check", "check", [DataKey("kek", old)])
    keks = [kek.fresh(), old]
    with locked(folder / "lock"):
        source.write(kek.encode(keks))
    return keks


def _wrapped_files(folder: Path) -> list[Path]:
    files = (f for f in (folder / "data").rglob("*.key") if not f.name.startswith("."))
    return [*sorted(files), folder / "check"]


def _rewrap(folder: Path, path: Path, keks: list[bytes]) -> bool:
    name = _name(folder, path)
    with locked(folder / "lock"):
        # It may have been destroyed meanwhile, and must not come back.
        if not path.exists() or not path.read_bytes().strip(b"\0"):
            return False
        secret = _open(path, name, [DataKey("kek", secret) for secret in keks])
        write_over(path, seal(DataKey("kek", keks[0]), secret, name.encode()))
    return path.name != "check"


def _open(path: Path, name: str, keks: list[DataKey]) -> bytes:
    for candidate in keks:
        try:
            return unseal(candidate, path.read_bytes(), name.encode())
        except KeyProblem:
            continue
    raise KeyProblem(
        f"{path} opens with none of the keys at hand: nothing was dropped. Restore it from the backup "
        "of keys/, then run `./tta.sh monitor keys rotate` again."
    )


def _name(folder: Path, path: Path) -> str:
    if path.name == "check":
        return "check"
    return str(path.relative_to(folder / "data").with_suffix(""))
