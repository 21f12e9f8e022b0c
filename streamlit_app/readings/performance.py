"""What pages that count a range in minutes back from now read.

Here: the questions of the modules beside this one, asked by minutes. Not here: any question of its own.
"""

from datetime import UTC, datetime, timedelta

from streamlit_app.readings import ranges
from streamlit_app.readings import requests as asked
from streamlit_app.readings.source import Reading
from streamlit_app.view import View

RANGES = {"15 min": 15, "1 h": 60, "6 h": 360, "24 h": 1_440, "7 d": 10_080}


def view(minutes: int, component: str | None = None) -> View:
    """A range that ends now."""
    start_at = since(minutes).replace(tzinfo=UTC)
    return View(start_at, datetime.now(UTC).replace(microsecond=0), component=component)


def since(minutes: int) -> datetime:
    """Start of a range that ends now, UTC without zone as the marts have it."""
    return (datetime.now(UTC) - timedelta(minutes=minutes)).replace(tzinfo=None, microsecond=0)


def step_s(minutes: int) -> int:
    """Width of a time bucket for a range."""
    return ranges.step_s(view(minutes))


def latency(minutes: int, component: str | None) -> Reading:
    """As `requests.latency`."""
    return asked.latency(view(minutes, component))


def requests(minutes: int, component: str | None) -> Reading:
    """As `requests.by_component`."""
    return asked.by_component(view(minutes, component))
