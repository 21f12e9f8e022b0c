"""Which detector this process runs, what it found of its canaries, and whether it may be trusted.

Here: the identity that stands in every landed batch and on the privacy page, and the verdict on
which the gate fails closed. Not here: the canaries (`canary`), dropping (`privacy/gate/treatments`).
The verdict is reached once per process, at its start or with the first text.
"""

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from privacy.detection.canary import run
from privacy.detection.vocabulary.model_labels import installed_models

NAME = "tta-gate"
VERSION = "2"
DEFAULT_FLOOR = 0.98
_LETTERS = str.maketrans("0123456789", "ghijklmnop")
_HERE = Path(__file__).parent
# Code and data that decide what is found; libraries count by version.
_SUFFIXES = {".py", ".txt", ".xz"}
_LIBRARIES = ("presidio-analyzer", "phonenumbers", "spacy", "thinc")


@dataclass(frozen=True)
class DetectorIdentity:
    """One detector as it was measured in this process.

    `content_hash` is SHA-256 (hex) over its lists, weights, code, library versions and installed
    models; `by_type` is (found, planted) of each canary type; recalls and `floor` are shares.
    """

    name: str
    version: str
    content_hash: str
    models: tuple[str, ...]
    canary_recall: float
    weakest_recall: float
    by_type: Mapping[str, tuple[int, int]]
    floor: float

    @property
    def is_ok(self) -> bool:
        """Whether no type of canary stayed below the floor; else text fields are dropped."""
        return self.weakest_recall >= self.floor

    @property
    def detector_id(self) -> str:
        """Name, version, hash and canary recall, e.g. `tta-gate/2+lfgcibpanndh;canary=1.0000`."""
        short = short_hash(self.content_hash)
        return f"{self.name}/{self.version}+{short};canary={self.canary_recall:.4f}"


class _Process:
    """The verdict of this process; a class so that tests can begin anew."""

    def __init__(self) -> None:
        self.floor = DEFAULT_FLOOR
        self.identity: DetectorIdentity | None = None
        self.lock = threading.Lock()


_process = _Process()


def set_floor(floor: float) -> None:
    """Set the share of canaries of each type that must be found; call at the start of a process."""
    with _process.lock:
        _process.floor, _process.identity = floor, None


def current() -> DetectorIdentity:
    """The detector of this process; the first call runs the canaries (about a second)."""
    found = _process.identity
    if found is None:
        with _process.lock:
            found = _process.identity = _process.identity or _measure(_process.floor)
    return found


def is_trusted() -> bool:
    """Whether text may pass the detector; otherwise it has to be dropped."""
    return current().is_ok


def short_hash(full: str) -> str:
    """Twelve letters of a hash: a run of digits after a plus would pass for a telephone number."""
    return full[:12].translate(_LETTERS)


def content_hash() -> str:
    """SHA-256 over everything that decides what is found."""
    digest = hashlib.sha256()
    shipped = [p for p in _HERE.rglob("*") if p.suffix in _SUFFIXES]
    for path in sorted(shipped):
        digest.update(f"{path.relative_to(_HERE)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for name in (*_LIBRARIES, *installed_models()):
        digest.update(f"{name}=={version(name)}\0".encode())
    return digest.hexdigest()


def _measure(floor: float) -> DetectorIdentity:
    canaries = run()
    return DetectorIdentity(
        NAME, VERSION, content_hash(), installed_models(), canaries.recall, canaries.weakest,
        canaries.by_type, floor,
    )  # fmt: skip
