"""Explore: a question of one's own, by a form or in SQL, over what the role may see."""

from collections.abc import Mapping
from datetime import timedelta

import pandas as pd
import streamlit as st

from dagster_project.reporting import charts
from streamlit_app.components import address, drawing, formats, frame, panels, states
from streamlit_app.components.drawer import again
from streamlit_app.components.export_menu import export_menu
from streamlit_app.components.header.style import look
from streamlit_app.readings.exploring import explore as data
from streamlit_app.readings.exploring import questions
from streamlit_app.readings.exploring.questions import Question
from streamlit_app.view import View

_HELP = """
Ask what no page answers. **Form**: choose a figure, how it is summed up, by what, and the range above.
**SQL**: one reading statement over the tables of your role. At most 5,000 rows, 10 s and 256 MB; what would
take more is stopped. The bookmark keeps the question as a view; its address opens it for others.
"""
_FORM, _SQL, _CUSTOM = "Form", "SQL", "Choose freely"
_ALL = "nothing"
_OVERS = {"time": "over time", "total": "in all"}
_START = "SELECT *\nFROM {table}\nLIMIT 100"
_HEIGHT = 260


def main() -> None:
    """Draw the page."""
    shown = frame.page(
        "explore", "Explore", filters=("component", "environment", "version"), help=_HELP
    )
    allowed = data.audiences()
    if not allowed:
        states.forbidden("any published data", "Ask an admin for a role that does.")
        return
    audience = _audience(allowed)
    known = data.tables(audience)
    if not known:
        states.empty("published data", data.ask("SELECT 1", audience).problem or "")
        return
    asked = address.details()
    with st.container(border=True):
        is_sql = _mode(asked)
        sql, question = _typed(asked, known) if is_sql else _formed(shown, asked, known)
    if sql:
        _answer(data.ask(sql, audience), shown, question, known)


def _audience(allowed: list[str]) -> str:
    wanted = address.details().get("of", "")
    current = wanted if wanted in allowed else allowed[0]
    if len(allowed) > 1:
        st.session_state["explore-of"] = current
        st.selectbox(
            "Data of", allowed, key="explore-of", on_change=_picked, args=("of", "explore-of")
        )
    return current


def _mode(asked: Mapping[str, str]) -> bool:
    st.session_state["explore-part"] = _SQL if asked.get("part") == "sql" else _FORM
    st.segmented_control(
        "Ask by", [_FORM, _SQL], key="explore-part", label_visibility="collapsed", on_change=_turned
    )
    return asked.get("part") == "sql"


def _turned() -> None:
    is_sql = st.session_state["explore-part"] == _SQL
    address.go(address.view(), part="sql" if is_sql else None, sql=None)


def _picked(name: str, key: str, empty: str = "", **also: str | None) -> None:
    value = st.session_state[key]
    address.go(address.view(), **{name: None if value in {None, empty} else str(value), **also})


# --- the form


def _formed(shown: View, asked: Mapping[str, str], known: data.Tables) -> tuple[str, Question]:
    question = questions.chosen(asked, known)
    columns = known[question.mart]
    first, second, third, fourth = st.columns([3, 3, 2, 3])
    with first:
        _metric(question, known)
        _pick(
            "Table", "mart", list(known), question.mart, measure=None, how=None, by=None, only=None
        )
    with second:
        _pick("Figure", "measure", questions.measures(columns), question.measure, how=None)
        _pick("Divided by", "by", [_ALL, *questions.dimensions(columns)], question.by or _ALL, _ALL)
    with third:
        _pick("Summed up as", "how", questions.hows(question.measure), question.how)
        over = "time" if question.is_over_time else "total"
        _pick("Shown", "over", list(_OVERS), over, "time")
    with fourth:
        _only(question, columns)
    sql = questions.sql_of(question, shown, columns)
    return sql, question


def _metric(question: Question, known: data.Tables) -> None:
    there = {name: one for name, one in questions.METRICS.items() if one.mart in known}
    if not there:
        return
    current = (question.mart, question.measure, question.how)
    named = {name: (one.mart, one.measure, one.how) for name, one in there.items()}
    st.session_state["explore-metric"] = next(
        (n for n, one in named.items() if one == current), _CUSTOM
    )
    st.selectbox("Metric", [*named, _CUSTOM], key="explore-metric", on_change=_pick_metric)


def _pick_metric() -> None:
    metric = questions.METRICS.get(st.session_state["explore-metric"])
    if metric:
        changed = {"mart": metric.mart, "measure": metric.measure, "how": metric.how}
        address.go(address.view(), **changed, by=None, only=None)


def _pick(
    label: str, name: str, options: list[str], current: str, empty: str = "", **also: str | None
) -> None:
    key = f"explore-{name}"
    st.session_state[key] = current if current in options else None
    st.selectbox(
        label,
        options,
        key=key,
        format_func=str if name == "mart" else _named,
        on_change=_picked,
        args=(name, key, empty),
        kwargs=also,
    )


def _named(option: str) -> str:
    return _OVERS.get(option, option.replace("_", " "))


def _only(question: Question, columns: Mapping[str, str]) -> None:
    column, value = question.only or ("", "")
    with st.form("explore-only", border=False):
        chosen = st.selectbox(
            "Only where",
            questions.dimensions(columns),
            index=_place(column, questions.dimensions(columns)),
            placeholder="any",
        )
        wanted = st.text_input("is", value, max_chars=200)
        if st.form_submit_button("Apply"):
            is_set = bool(chosen and wanted)
            address.go(address.view(), only=f"{chosen}:{wanted}" if is_set else None)
            st.rerun()


def _place(column: str, known: list[str]) -> int | None:
    return known.index(column) if column in known else None


# --- SQL


def _typed(asked: Mapping[str, str], known: data.Tables) -> tuple[str, None]:
    given = asked.get("sql", "")
    with st.form("explore-sql", border=False):
        text = st.text_area(
            "SQL",
            given or _START.format(table=next(iter(known))),
            height=150,
            max_chars=10_000,
            help="One SELECT, WITH, DESCRIBE, SHOW or SUMMARIZE.",
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.form_submit_button("Ask", type="primary", icon=":material/play_arrow:"):
                address.go(address.view(), sql=text.strip())
                st.rerun()
            st.caption("Read only · 5,000 rows · 10 s · 256 MB")
    with st.expander("Tables and columns"):
        rows = [
            (table, column, kind)
            for table, columns in known.items()
            for column, kind in columns.items()
        ]
        listed = pd.DataFrame(rows, columns=pd.Index(["table", "column", "type"]))
        st.dataframe(listed, hide_index=True, width="stretch", height=240)
    return given, None


# --- the answer


def _answer(found: data.Found, shown: View, question: Question | None, known: data.Tables) -> None:
    with st.container(border=True):
        tools = panels.heading("Answer")
        _show_sql(tools, found)
        if states.problem(found):
            return
        if found.frame.empty:
            states.empty("rows", "Take another range, or remove a filter.")
            return
        drawn = _chart(found.frame, shown, question, known)
        with tools:
            about = {"sql": " ".join(found.sql.split()), "of": found.audience}
            export_menu("explore", found.frame, shown, chart=drawn, more=about)
        _table(found, shown.zone)


def _show_sql(tools: st.delta_generator.DeltaGenerator, found: data.Found) -> None:
    with tools.popover(
        "", icon=":material/code:", type="tertiary", help="Show SQL", key="explore-code"
    ):
        st.code(found.sql, language="sql")
        st.button(
            "Change it",
            icon=":material/edit:",
            key="explore-edit",
            on_click=_edit,
            args=(found.sql,),
        )
        st.caption("Ask it from a terminal:")
        st.code(again(found), language="bash")


def _edit(sql: str) -> None:
    address.go(address.view(), part="sql", sql=sql)


def _table(found: data.Found, zone: str) -> None:
    age = formats.age(formats.seconds_since(found.as_of, address.now()))
    cut = (
        f"the first {len(found.frame):,} rows: add a LIMIT or an aggregate" if found.is_cut else ""
    )
    counted = cut or f"{len(found.frame):,} rows"
    st.caption(f"{counted} · {found.took_s:.2f} s · published {age} ago")
    times = found.frame.select_dtypes("datetimetz").columns
    form = st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss", timezone=zone)
    st.dataframe(
        found.frame,
        hide_index=True,
        width="stretch",
        placeholder=formats.NOT_MEASURED,
        column_config={str(name): form for name in times},
    )


def _chart(
    rows: pd.DataFrame, shown: View, question: Question | None, known: data.Tables
) -> dict[str, object] | None:
    """Lines over time, or bars by name, or nothing where rows are neither."""
    times = [c for c in rows.columns if isinstance(rows[c].dtype, pd.DatetimeTZDtype)]
    numbers = [c for c in rows.columns if pd.api.types.is_numeric_dtype(rows[c])]
    names = [c for c in rows.columns if c not in {*times, *numbers}]
    value = "value" if "value" in numbers else next(iter(numbers), None)
    if value is None or len(names) > 1:
        return None
    if times:
        step = questions.step_s(question, shown, known[question.mart]) if question else None
        series = rows[names[0]].fillna(formats.NOT_MEASURED).astype(str) if names else value
        drawn = {"bucket_at": rows[times[0]], "series": series, "value": rows[value].astype(float)}
        return _lines(pd.DataFrame(drawn).dropna(), shown, step)
    if names and len(rows) > 1:
        plain = rows.assign(**{value: rows[value].astype(float)}).dropna(subset=[value])
        made = charts.ranked_bars(
            plain, name=names[0], value=value, unit=value, look=look(), most=15
        )
        return drawing.chart(made, key="explore-bars")
    return None


def _lines(drawn: pd.DataFrame, shown: View, step: int | None) -> dict[str, object] | None:
    """Lines of `value` by `series`; without a known step the range is that of the rows."""
    if drawn.empty:
        return None
    gaps = pd.Series(sorted(drawn["bucket_at"].unique())).diff().dropna()
    wide = step or max(int(gaps.min().total_seconds()) if len(gaps) else 60, 1)
    if step is None:
        first, last = (
            drawn["bucket_at"].min().to_pydatetime(),
            drawn["bucket_at"].max().to_pydatetime(),
        )
        shown = shown.but(start_at=first, end_at=last + timedelta(seconds=wide))
    folded = charts.fold_series(drawn, "series", "value")
    return drawing.time_chart(
        folded, "value", "series", "", shown, key="explore-lines", step_s=wide, height=_HEIGHT
    )


main()
