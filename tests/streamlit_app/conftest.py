"""What every test of pages shares."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest

from streamlit_app.readings.arriving import arrivals


@pytest.fixture(autouse=True, scope="session")
def _no_components_of_others() -> Iterator[None]:
    """Each run of an AppTest would read what all installed packages say of themselves: a second each time."""
    with patch("streamlit.components.v2.manifest_scanner.scan_component_manifests", list):
        yield


@pytest.fixture(autouse=True)
def _nothing_arrived_before() -> None:
    """The app keeps for a second what it asked last; a test is as if it had asked nothing yet."""
    arrivals.forget()
