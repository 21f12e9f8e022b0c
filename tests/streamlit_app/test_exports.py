"""A file is exactly what is shown, says of what, and of the same rows there is one edition."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from dagster_project.reporting import charts
from dagster_project.reporting.charts import LIGHT, Clock
from privacy.access.access_policy import Forbidden, Role
from privacy.keys.key_store import KeyStore
from streamlit_app.actions.exports import Export, taking
from streamlit_app.sign_in import doorman, permission
from tests.signing_in import session_secret

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = pd.DataFrame(
    {
        "at": pd.to_datetime([AT, AT]),
        "route": ["/a", 'b,"c'],
        "p95_ms": [1.5, None],
        "count": [3, 0],
    }
)
ASKED = {"from": "2026-03-01T12:00:00Z", "to": "2026-03-01T13:00:00Z", "component": "api"}


def export(rows: pd.DataFrame = ROWS, **asked: str) -> Export:
    return Export("slow routes", rows, ASKED | asked)


def test_csv_and_json_hold_the_same_rows_and_say_what_they_show() -> None:
    text = export().csv().decode()
    head = dict(line[2:].split(": ", 1) for line in text.splitlines() if line.startswith("# "))
    assert head["component"] == "api" and head["rows"] == "2"
    told = json.loads(export().json())
    assert told["edition"] == head["edition"] and told["from"] == ASKED["from"]
    rows = pd.read_csv(io.StringIO(text), comment="#")
    assert list(rows["count"]) == [r["count"] for r in told["data"]] == [3, 0]
    assert (
        rows["p95_ms"].isna().tolist()
        == [r["p95_ms"] is None for r in told["data"]]
        == [False, True]
    )
    assert list(rows["route"]) == ["/a", 'b,"c']
    assert told["data"][0]["at"].startswith("2026-03-01T12:00:00")


def test_an_edition_is_that_of_its_rows_range_and_filters() -> None:
    assert export().edition == export(ROWS.copy()).edition
    others = [
        export(ROWS.head(1)), export(component="web"), export(to="2026-03-01T14:00:00Z"),
        export(ROWS.assign(count=[3, 1])),
    ]  # fmt: skip
    assert len({export().edition, *(o.edition for o in others)}) == 5


def test_a_picture_is_the_chart_as_it_was_drawn() -> None:
    times = pd.date_range(AT, periods=3, freq="min")
    rows = pd.DataFrame({"bucket_at": times, "series": "a", "value": [1.0, 2.0, 3.0]})
    clock = Clock(AT, times[-1].to_pydatetime())
    drawn = charts.time_chart(
        rows, value="value", series="series", unit="/s", look=LIGHT, clock=clock, step_s=60
    )
    picture = export().png(drawn.to_dict(), LIGHT.background)
    assert picture.startswith(b"\x89PNG") and len(picture) > 2_000


@pytest.fixture
def secret(home: Path, keys: KeyStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A researcher looks, with this session."""
    doorman.forget()
    made = session_secret(home, Role.RESEARCHER)
    monkeypatch.setattr(permission, "_secret", lambda: made)
    yield made
    doorman.forget()


def noted() -> list[tuple[str, str]]:
    return [(e.outcome, e.details["form"]) for e in doorman.log().entries(action="access.action")]


@pytest.mark.usefixtures("secret")
def test_a_button_that_nobody_clicks_works_nothing_out() -> None:
    asked: list[str] = []
    taken = taking("slow routes", "csv", lambda: asked.append("edition") or "e1", lambda: b"rows")
    assert asked == []
    taken()
    assert asked == ["edition"]


@pytest.mark.usefixtures("secret")
def test_a_file_is_noted_when_it_is_made_not_when_its_button_is_drawn() -> None:
    taken = taking("slow routes", "csv", lambda: "e1", lambda: b"rows")
    assert noted() == []
    assert (taken(), noted()) == (b"rows", [("done", "csv")])


def test_whose_session_has_ended_takes_nothing_from_a_page_that_is_still_open(secret: str) -> None:
    taken = taking("slow routes", "csv", lambda: "e1", lambda: b"rows")
    doorman.identities().sessions.sign_out(secret)
    with pytest.raises(Forbidden, match="sign in again"):
        taken()
    assert noted() == []
