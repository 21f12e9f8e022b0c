"""Error groups as rows: title with its place, state, trend, releases; what a group was seen in.

Here: from `readings/errors` to frames that a table draws. Pure. Not here: the page (`views/errors`).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pandas as pd

from ingestion.meaning.errors.group_states import GroupRecord, State
from streamlit_app.components import formats, markup
from streamlit_app.components.ranked_table import Column
from streamlit_app.view import View

PILLS: Mapping[State, markup.State] = {
    State.REGRESSED: "critical", State.ESCALATING: "warning", State.NEW: "info",
    State.ONGOING: "unknown", State.MUTED: "unknown", State.RESOLVED: "ok",
}  # fmt: skip
"""In the order in which people want to see them."""
FEW = "Affected sessions are shown from ten on."
_ORDER = list(PILLS)
_NOWHERE = "no frame of our own"
GROUPS = (
    Column("error", "Error", "html", hover=lambda row: f"{row['title']} in {row['place'] or _NOWHERE}"),
    Column("state", "State", "pill"),
    Column("errors", "Errors", "bar", lambda v: f"{v:,.0f}"),
    Column("trend", "Trend", "spark"),
    Column("seen", "Last seen"),
    Column("component", "Components", hover=lambda row: row["components"]),
    Column("release", "Release", note="The last one that was told"),
    Column("sessions", "Sessions", "number", lambda v: f"{v:,.0f}", note=FEW),
    Column("first", "First seen"),
)  # fmt: skip
OCCURRENCES = (
    Column("at", "Time"),
    Column("component", "Component"),
    Column("release", "Release", "html"),
    Column("environment", "Environment"),
    Column("trace", "Trace", "html"),
)
RELEASES = (
    Column("version", "Release"),
    Column("components", "Components"),
    Column("errors", "Errors", "bar", lambda v: f"{v:,.0f}"),
    Column("first", "First seen"),
    Column("last", "Last seen"),
)


def group_rows(
    groups: pd.DataFrame,
    known: Mapping[str, GroupRecord],
    trend: pd.DataFrame,
    view: View,
    now: datetime,
) -> pd.DataFrame:
    """Rows for `GROUPS`, the worst state first, then by count."""
    moment = now.replace(tzinfo=None)
    records = [known.get(key) for key in groups["group_key"]]
    told = [record.state(moment) if record else State.ONGOING for record in records]
    lines = trends_of(trend, view)
    places = [place if isinstance(place, str) and place else None for place in groups["culprit"]]
    table = pd.DataFrame(
        {
            "group_key": groups["group_key"],
            "rank": [_ORDER.index(s) for s in told],
            "state": [(PILLS[s], s.value) for s in told],
            "title": groups["title"],
            # Of type object: None would become a number that is none.
            "place": pd.Series(places, index=groups.index, dtype=object),
            "errors": groups["error_count"],
            "trend": [lines.get(k, []) for k in groups["group_key"]],
            "components": [", ".join(sorted(names)) for names in groups["components"]],
            "component": [_first_of(sorted(names)) for names in groups["components"]],
            "release": [record.last_version if record else None for record in records],
            "sessions": groups["session_count"].astype("Float64"),
            "first": [_ago(record.first_seen_at, now) if record else None for record in records],
            "seen": [_ago(at.to_pydatetime(), now) for at in groups["last_seen_at"]],
        }
    )
    table["error"] = [_titled(row, view) for row in table.to_dict("records")]
    return table.sort_values(["rank", "errors"], ascending=[True, False]).reset_index(drop=True)


def filtered(table: pd.DataFrame, state: str | None, words: str) -> pd.DataFrame:
    """Rows of a state whose title or place holds every word."""
    keep = pd.Series(True, index=table.index)
    if state:
        keep &= table["state"].map(lambda pair: pair[1] == state)
    for word in words.lower().split():
        places = pd.Series([place or "" for place in table["place"]], index=table.index)
        text = (table["title"] + " " + places).str.lower()
        keep &= text.str.contains(word, regex=False)
    return pd.DataFrame(table[keep])


def trends_of(trend: pd.DataFrame, view: View) -> dict[str, list[int]]:
    """Errors by bucket by group, from the first bucket that has one of any group; no error is a zero."""
    if trend.empty:
        return {}
    wide = trend.pivot_table(
        index="bucket_at", columns="group_key", values="error_count", fill_value=0
    )
    at = pd.DatetimeIndex(pd.to_datetime(pd.Index(wide.index), utc=True))
    wide.index = at
    if len(at) > 1:
        step = min(later - one for one, later in pairwise(at.to_pydatetime()))
        last = max(at[-1], pd.Timestamp(view.end_at).floor(step) - step)
        wide = wide.reindex(pd.date_range(at[0], last, freq=step).union(at), fill_value=0)
    return {str(key): [int(n) for n in wide[key]] for key in wide.columns}


def occurrence_rows(found: pd.DataFrame, view: View) -> pd.DataFrame:
    """Rows for `OCCURRENCES`: each error with its release and its trace as links."""
    rows = found.astype(object).where(found.notna(), None)
    return rows.assign(
        at=[f"{view.local(at.to_pydatetime()):%d %b %H:%M:%S}" for at in found["event_at"]],
        environment=[environment or None for environment in rows["environment"]],
        release=[_release(row, view) for row in rows.to_dict("records")],
        trace=[_trace(row["trace_id"], view) for row in rows.to_dict("records")],
    )


def release_rows(found: pd.DataFrame, view: View) -> pd.DataFrame:
    """Rows for `RELEASES`, the newest first."""
    return found.assign(
        version=[version or None for version in found["version"]],
        first=[f"{view.local(at.to_pydatetime()):%d %b %H:%M}" for at in found["first_seen_at"]],
        last=[f"{view.local(at.to_pydatetime()):%d %b %H:%M}" for at in found["last_seen_at"]],
    )


def _first_of(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} +{len(names) - 1}"


def _titled(row: dict[str, Any], view: View) -> str:
    address = view.link("errors", group=row["group_key"], search="", route=None)
    title = markup.link(row["title"], address, kind="tta-whole")
    place = markup.text(row["place"] or _NOWHERE)
    return f'<span class="tta-two">{title}<br><span class="tta-quiet">{place}</span></span>'


def _release(row: dict[str, Any], view: View) -> str | None:
    if not row["version"]:
        return None
    address = view.link("performance", component=row["component"], version=row["version"])
    return markup.link(row["version"], address, title="How this release does")


def _trace(trace: str | None, view: View) -> str | None:
    return (
        markup.link(trace[:8], view.link("traces", trace=trace), title=f"Trace {trace}")
        if trace
        else None
    )


def _ago(at: datetime, now: datetime) -> str:
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return f"{formats.age(formats.seconds_since(aware, now))} ago"
