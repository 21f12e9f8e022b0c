"""Gallery: every component in every state, with made-up figures; how the design system is looked at.

Opened by its address alone. Nothing here is measured, and nothing is read.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd
import streamlit as st

from dagster_project.reporting import charts
from dagster_project.reporting.charts import Mark, Threshold
from streamlit_app.components import drawing, frame, markup, panels, states
from streamlit_app.components.drawer import drawer
from streamlit_app.components.export_menu import export_menu
from streamlit_app.components.header.style import look
from streamlit_app.components.ranked_table import Column, ranked_table
from streamlit_app.components.tile import Tile, tiles
from streamlit_app.components.waterfall import waterfall
from streamlit_app.view import View

_NAMES = ("agent-orchestration", "health-check-service", "player-experience-api")
_WAVE = [math.sin(n / 4) * 20 + 50 for n in range(60)]
_COLUMNS = (
    Column("route", "Route"),
    Column("state", "State", "pill"),
    Column("count", "Requests", "bar", lambda v: f"{v:,.0f}"),
    Column("errors", "Errors %", "bar", lambda v: f"{v:.1f}", is_bad=lambda v: v > 5),
    Column("p95", "p95 ms", "number", lambda v: f"{v:,.0f}"),
    Column("trend", "Last hour", "spark"),
)


@dataclass(frozen=True)
class _Reading:
    """A made-up reading with its origin."""

    sql: str = "SELECT route, count(*) FROM fct_requests_minutely GROUP BY 1"
    source: str = "marts"
    as_of: datetime | None = datetime(2026, 3, 1, 12, tzinfo=UTC)
    name: str = ""
    audience: str = "operations"

    @property
    def parameters(self) -> dict[str, str]:
        """One of them."""
        return {"since": "2026-03-01"}


def main() -> None:
    """Draw the page."""
    shown = frame.page(
        "gallery", "Gallery", filters=("component", "route", "q"), known={"component": list(_NAMES)},
        trail=(("All components", "/gallery"), ("every state", "")),
        help="Every component in every state. The figures are made up.",
    )  # fmt: skip
    tiles(_tiles(shown))
    for title, part in _PARTS.items():
        with st.container(border=True):
            panels.heading(title)
            part(shown)


def _tiles(shown: View) -> list[Tile]:
    return [
        Tile("Requests", "412 /s", "+6 %", spark=_WAVE, link=shown.link("gallery")),
        Tile("Errors", "2.4 %", "+2.3 pt", "down", state="critical", spark=[0.1] * 50 + [1, 3, 9]),
        Tile(
            "p95 latency", "318 ms", "-12 %", "down", spark=[*_WAVE[:20], None, None, *_WAVE[22:]]
        ),
        Tile("AI calls", "38 /min", "+0 %", "up", state="warning"),
        Tile("Tokens out", "1,920,000 /min", note="of 2,000,000"),
        Tile("Carbon today", "—", missing="No meter reports."),
    ]


def _series(shown: View, names: tuple[str, ...], *, hole: bool = False) -> pd.DataFrame:
    step = shown.step_s()
    times = pd.date_range(shown.start_at, shown.end_at, freq=f"{step}s", inclusive="left").floor(
        f"{step}s"
    )
    return pd.DataFrame(
        [
            {"bucket_at": at, "series": name, "value": 100 * (n + 1) + 20 * math.sin(i / (3 + n))}
            for n, name in enumerate(names)
            for i, at in enumerate(times)
            if not (hole and n == 0 and 20 <= i < 30)
        ]
    )


def _lines(shown: View) -> None:
    left, right = st.columns(2)
    middle = shown.start_at + shown.length / 3
    with left:
        quantiles = _series(shown, ("p50", "p95", "p99"), hole=True)
        before = quantiles.assign(bucket_at=quantiles["bucket_at"] - shown.length)
        drawn = drawing.time_chart(
            quantiles, "value", "series", "ms", shown, key="gallery-quantiles",
            thresholds=[Threshold(260, "SLO 260 ms")], marks=[Mark(middle, "1.4.2 in api")],
            compare=before[before["series"] == "p50"].assign(value=85.0) if shown.compare else None,
        )  # fmt: skip
        export_menu("gallery", quantiles, shown, chart=drawn)
    with right:
        drawing.time_chart(
            _series(shown, _NAMES), "value", "series", "/s", shown, key="gallery-components"
        )


def _distributions(shown: View) -> None:
    left, right = st.columns(2)
    step = shown.step_s()
    times = _series(shown, ("x",))["bucket_at"]
    heat = pd.DataFrame(
        [
            {
                "bucket_at": at,
                "latency_ms": 10 ** (1 + band / 4),
                "request_count": 1 + (i * band) % 40,
            }
            for i, at in enumerate(times)
            for band in range(8)
        ]
    )
    with left:
        drawing.heat_map(heat, shown, key="gallery-heat", step_s=step)
    counts = _series(shown, ("error", "warn", "info")).assign(
        value=lambda rows: (rows["value"] / 50).round()
    )
    with right:
        drawing.bars_over_time(
            counts, "value", "series", "lines", shown, key="gallery-bars",
            known=("error", "warn", "info"), colours=(look().critical, look().warning, look().unknown),
            height=220,
        )  # fmt: skip


def _others(_: View) -> None:
    left, right, last = st.columns(3)
    models = pd.DataFrame(
        {"model": ["large", "small", "tiny"], "ms": [900, 400, 650], "cost": [8, 3, 2]}
    )
    with left:
        ranked = charts.ranked_bars(models, name="model", value="ms", unit="ms", look=look())
        drawing.chart(ranked, key="gallery-ranked")
    with right:
        titles = ("cost", "p95 ms")
        points = charts.scatter(models, x="cost", y="ms", name="model", titles=titles, look=look())
        drawing.chart(points, key="gallery-points")
    with last:
        known = models.assign(low=[820, 370, 610], high=[990, 440, None])
        apart = charts.intervals(
            known,
            name="model",
            value="ms",
            low="low",
            high="high",
            unit="ms",
            look=look(),
            against="small",
        )
        drawing.chart(apart, key="gallery-intervals")


def _table(shown: View) -> None:
    rows = pd.DataFrame(
        [
            ("/api/v1/sessions/{id}/actions", ("critical", "failing"), 9_120, 12.5, 840.0, _WAVE),
            ("/api/v1/players", ("ok", "ok"), 3_300, 0.2, 41.0, _WAVE[::-1]),
            ("/health", ("unknown", "no probe"), 0, None, None, []),
            ("<b>not markup</b>", ("degraded", "degraded: redis"), 120, 1.4, 96.4, _WAVE[:9]),
        ],
        columns=pd.Index(["route", "state", "count", "errors", "p95", "trend"]),
    )
    ranked_table(
        rows, _COLUMNS, key="gallery", caption="Made-up routes", most=3,
        link=lambda row: shown.link("gallery", route=row["route"]),
    )  # fmt: skip
    with st.container(horizontal=True):
        drawer(_Reading(), key="gallery-drawer", note="Requests by route.")
        export_menu("gallery routes", rows.drop(columns=["state", "trend"]), shown)


def _trace(shown: View) -> None:
    begin = int(shown.start_at.timestamp() * 1e6)
    rows = [
        ("a", "", 0, 420, "player-experience-api", "POST /api/v1/sessions/{id}/actions", "OK", {}),
        ("b", "a", 12, 60, "player-experience-api", "SELECT sessions", "OK", {"db.system": "postgresql"}),
        ("c", "a", 90, 320, "agent-orchestration", "plan scene", "ERROR", {"error.type": "TimeoutError"}),
        ("d", "c", 110, 240, "agent-orchestration", "chat", "OK",
         {"gen_ai.request.model": "large", "gen_ai.usage.output_tokens": 96}),
        ("e", "gone", 20, 30, "health-check-service", "probe", "OK", {}),
    ]  # fmt: skip
    names = (
        "span_id parent_span_id start_at duration_ns component name status_code attributes".split()
    )
    spans = pd.DataFrame(
        [(i, p, begin + s * 1_000, d * 1e6, *more) for i, p, s, d, *more in rows],
        columns=pd.Index(names),
    )
    spans["events"] = [[], [], [{"name": "exception", "at": begin + 400_000}], [], []]
    at = shown.start_at + timedelta(milliseconds=200)
    log = {"at": at, "severity": "warn", "body": "the model is slow", "span_id": "d"}
    waterfall(spans, pd.DataFrame([log]), chosen=st.query_params.get("span", ""))


def _states(_: View) -> None:
    states.empty("requests")
    states.empty("releases", "They appear with the first span that names a version.")
    states.loading("30 days of requests")
    states.stale("Marts are", 7_500, "The last pass failed: the disk is full.")
    states.failed("The live tail does not answer: run ./tta.sh monitor up.")
    states.forbidden("error groups", "An administrator can give you the role developer.")
    st.html(
        " ".join(
            markup.pill(s) for s in ("ok", "degraded", "warning", "down", "critical", "unknown")
        )
    )


_PARTS: dict[str, Callable[[View], None]] = {
    "Time charts": _lines,
    "Distributions": _distributions,
    "Ranked and traded off": _others,
    "Ranked table": _table,
    "Waterfall": _trace,
    "States": _states,
}

main()
