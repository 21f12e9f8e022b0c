"""Which code is mutated, and the tests that must notice.

Tests that start processes of the product are left out: a mutant lives in the memory of one process.
"""

from dataclasses import dataclass
from pathlib import Path

# Not `tests.conftest`: it imports what is to be mutated.
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Target:
    """Files of the product, and tests, relative to the root."""

    code: tuple[str, ...]
    tests: tuple[str, ...]

    def modules(self) -> list[Path]:
        """The Python files of the code, in order."""
        found = (ROOT / place for place in self.code)
        return [f for p in found for f in (sorted(p.glob("*.py")) if p.is_dir() else [p])]


def _of(folder: str, *names: str) -> tuple[str, ...]:
    return tuple(f"tests/{folder}/test_{name}.py" for name in names)


TARGETS = {
    "gate": Target(("privacy/gate",), ("tests/privacy/gate",)),
    # Not the attacks: minutes each, and they look at released figures, as these do.
    "release": Target(
        ("privacy/release",),
        _of(
            "privacy/release",
            "bounding",
            "cells",
            "epsilon_budget",
            "k_anonymity",
            "release_gate",
            "release_ledger",
            "release_spec",
        ),
    ),
    "spool": Target(("ingestion/spool.py",), ("tests/ingestion/test_spool.py",)),
    "drain": Target(
        ("ingestion/lake/drain.py", "ingestion/lake/partitions.py", "ingestion/lake/plans.py"),
        _of("ingestion/lake", "lake", "hours", "poison", "set_aside"),
    ),
    "alert life": Target(("live_tail/alerts/life",), ("tests/live_tail/alerts/life",)),
    "identity": Target(
        (
            "ingestion/meaning/item_identity.py",
            "ingestion/lake/repeats.py",
            "live_tail/window/seen.py",
        ),
        ("tests/ingestion/meaning/test_item_identity.py",),
    ),
}
