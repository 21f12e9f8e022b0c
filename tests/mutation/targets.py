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


TARGETS = {
    "gate": Target(("privacy/gate",), ("tests/privacy/gate", "tests/privacy/test_site_policy.py")),
    "release": Target(("privacy/release",), ("tests/privacy/release",)),
    "spool": Target(
        ("ingestion/spool.py",),
        (
            "tests/ingestion/receivers/test_receivers.py",
            "tests/ingestion/receivers/test_ledger.py",
            "tests/ingestion/lake/test_lake.py",
        ),
    ),
    "drain": Target(
        ("ingestion/lake/drain.py", "ingestion/lake/plans.py"), ("tests/ingestion/lake",)
    ),
    "alert life": Target(
        ("live_tail/alerts/life",),
        ("tests/live_tail/alerts/life", "tests/live_tail/alerts/desk/test_manager.py"),
    ),
    "identity": Target(
        ("ingestion/meaning/identity.py", "ingestion/lake/repeats.py", "live_tail/window/seen.py"),
        ("tests/ingestion/lake/test_lake.py", "tests/ingestion/meaning/test_identity.py"),
    ),
}  # fmt: skip
