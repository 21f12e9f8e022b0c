"""One trace as a waterfall: order, depth, critical path and gaps of spans, and their picture.

Here: arranging spans, and the drawing for pictures and reports. Not here: the page's waterfall, which has
links and a keyboard (`streamlit_app/components/waterfall`), reading a trace.
"""

import altair as alt
import pandas as pd

from dagster_project.reporting.charts.look import Look, colour_scale, finished, legend


def span_rows(spans: pd.DataFrame) -> pd.DataFrame:
    """Spans (span_id, parent_span_id, start_at in µs or time, duration_ns) in the order of a waterfall.

    Adds start_ms and end_ms from the trace's begin, `depth`, `is_critical` (on the path that made the
    trace as long as it is), `is_lost` (its parent was not kept) and `gap_ms`, what the critical path
    waits before it.
    A parent comes before its children, children by start; a circle of parents is cut.
    """
    start_us = _microseconds(pd.Series(spans["start_at"]))
    rows = spans.assign(
        start_ms=(start_us - start_us.min()) / 1_000,
        length_ms=spans["duration_ns"].astype(float) / 1e6,
    )
    rows["end_ms"] = rows["start_ms"] + rows["length_ms"]
    order, depth = _walk(rows)
    arranged = rows.loc[order].assign(depth=[depth[i] for i in order])
    known = set(rows["span_id"])
    lost = arranged["parent_span_id"].fillna("")
    arranged["is_lost"] = (lost != "") & ~lost.isin(known)
    critical, gaps = _critical(arranged)
    arranged["is_critical"] = [i in critical for i in arranged.index]
    arranged["gap_ms"] = [gaps.get(i, 0.0) for i in arranged.index]
    return arranged.reset_index(drop=True)


def _microseconds(times: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(times):
        return times.astype("int64")
    return pd.to_datetime(times, utc=True).astype("datetime64[us, UTC]").astype("int64")


def _children(rows: pd.DataFrame) -> dict[object, list[object]]:
    """Row labels by their parent's row label; None holds those without one."""
    by_id = {span: i for i, span in zip(rows.index, rows["span_id"], strict=True)}
    below: dict[object, list[object]] = {}
    for i, parent in zip(rows.index, rows["parent_span_id"], strict=True):
        below.setdefault(by_id.get(parent) if parent else None, []).append(i)
    for members in below.values():
        members.sort(key=lambda i: float(rows.at[i, "start_ms"]))
    return below


def _walk(rows: pd.DataFrame) -> tuple[list[object], dict[object, int]]:
    below = _children(rows)
    order: list[object] = []
    depth: dict[object, int] = {}
    # Spans of a circle of parents are under no root: they start where the walk has not been.
    for begin in [*below.get(None, []), *rows.sort_values("start_ms").index]:
        waiting = [(begin, 0)]
        while waiting:
            i, level = waiting.pop()
            if i in depth:
                continue
            depth[i] = level
            order.append(i)
            waiting += [(child, level + 1) for child in reversed(below.get(i, []))]
    return order, depth


def _critical(rows: pd.DataFrame) -> tuple[set[object], dict[object, float]]:
    """From the root that ends last: of each span the child that ended last, and then what ran before it.

    A span ends with the last that it began: one that outlives its parent made the trace as long.
    """
    below, ends = _children(rows), _last_ends(rows)
    roots = below.get(None, [])
    if not roots:
        return set(), {}
    found: set[object] = set()
    gaps: dict[object, float] = {}
    waiting = [max(roots, key=lambda i: ends[i])]
    while waiting:
        i = waiting.pop()
        if i in found:
            continue
        found.add(i)
        until, later = ends[i], None
        for child in sorted(below.get(i, []), key=lambda c: -ends[c]):
            if ends[child] <= until + 1e-6:
                if later is not None:
                    gaps[later] = until - ends[child]
                waiting.append(child)
                until, later = float(rows.at[child, "start_ms"]), child
        if later is not None:
            gaps[later] = max(until - float(rows.at[i, "start_ms"]), 0.0)
    return found, gaps


def _last_ends(rows: pd.DataFrame) -> dict[object, float]:
    """When each span, and all that it began, was over; rows in the order of a waterfall."""
    by_id = {span: i for i, span in zip(rows.index, rows["span_id"], strict=True)}
    ends: dict[object, float] = {i: float(rows.at[i, "end_ms"]) for i in rows.index}
    parents = zip(rows.index, rows["parent_span_id"], strict=True)
    for i, parent in reversed(list(parents)):
        above = by_id.get(parent)
        if above is not None:
            ends[above] = max(ends[above], ends[i])
    return ends


def waterfall(spans: pd.DataFrame, *, look: Look, known: tuple[str, ...] = ()) -> alt.LayerChart:
    """The picture of a trace: a bar for each span in the colour of its component, critical if it failed."""
    rows = span_rows(spans)
    rows = rows.assign(place=range(len(rows)), label=[
        "\u2003" * int(d) + str(n) for d, n in zip(rows["depth"], rows["name"], strict=True)
    ])  # fmt: skip
    is_error = rows["status_code"].astype(str).str.upper().isin({"ERROR", "2", "STATUS_CODE_ERROR"})
    rows = rows.assign(is_error=is_error)
    names = sorted(rows["component"].unique())
    y = alt.Y("place:O", axis=None)
    bars = (
        alt.Chart(rows)
        .mark_bar(height={"band": 0.34}, cornerRadius=2)
        .encode(
            x=alt.X(
                "start_ms:Q",
                axis=alt.Axis(
                    title=None, labelColor=look.quiet, gridColor=look.grid, domain=False, ticks=False,
                    labelExpr="format(datum.value, ',~f') + ' ms'", orient="top", tickCount=5, offset=8,
                ),
            ),
            x2="end_ms:Q",
            y=y,
            color=alt.when(alt.datum.is_error)
            .then(alt.value(look.critical))
            .otherwise(
                alt.Color(
                    "component:N",
                    scale=colour_scale(names, known or names, look),
                    legend=legend(names, look, symbol="square"),
                )
            ),
            opacity=alt.when(alt.datum.is_critical).then(alt.value(1)).otherwise(alt.value(0.55)),
            tooltip=["component:N", "name:N", alt.Tooltip("length_ms:Q", title="ms", format=",.4~r")],
        )
    )  # fmt: skip
    words = (
        alt.Chart(rows)
        .mark_text(align="left", dy=-12, fontSize=11, color=look.text)
        .encode(x="start_ms:Q", y=y, text="label:N")
    )
    return finished(alt.layer(bars, words), look, 32 * max(len(rows), 1))
