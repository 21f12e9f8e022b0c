"""A release gate of a home."""

from pathlib import Path

import pytest

from privacy.release import ReleaseGate
from tests.privacy.release.population import gate_of


@pytest.fixture
def gate(home: Path) -> ReleaseGate:
    return gate_of(home)
