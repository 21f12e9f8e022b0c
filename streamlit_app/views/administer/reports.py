"""Reports: what was made for which period, what it says, in four formats; making one now."""

import pandas as pd
import streamlit as st

from dagster_project.reporting.document.figures import Figure, Table, told
from dagster_project.reporting.document.report_document import Chart, Document
from dagster_project.reporting.keeping import Entry
from dagster_project.reporting.rendering.all_formats import FORMS, MIME
from dagster_project.reporting.rendering.drawn_charts import described
from streamlit_app.actions import exports
from streamlit_app.actions import reports as deeds
from streamlit_app.components import address, formats, frame, markup, panels, states
from streamlit_app.components.header.style import look
from streamlit_app.components.ranked_table import Column, ranked_table
from streamlit_app.components.tile import Tile, tiles
from streamlit_app.readings import reports as readings
from streamlit_app.readings.reports import Shown
from streamlit_app.sign_in import permission
from streamlit_app.sign_in.permission import Right

_HELP = """
Reports are made by themselves within the hour after their day, week or month is over, and whenever somebody
makes one. An **edition** is a digest of all that is said: the same data make the same edition. PDF, CSV, JSON
and HTML hold the same numbers.
"""
_SAID = "report said"
_MOST_TABLE = 15


def main() -> None:
    """Draw the page."""
    frame.page("reports", "Reports", has_range=False, help=_HELP)
    if words := st.session_state.pop(_SAID, ""):
        st.toast(words)
    every, made = readings.every_kind(), readings.editions()
    for shown, place in zip(every, st.columns(len(every)), strict=True):
        with place, st.container(border=True):
            _kind(shown)
    if not made:
        states.empty("reports", "The first is made when a day is over, or now: Make, above.")
        return
    wanted = st.query_params.get("edition", "")
    chosen = next((entry for entry in made if entry.edition == wanted), None)
    listed, read = st.columns([2, 5], gap="medium")
    with listed:
        _list(made)
    with read:
        if wanted and chosen is None:
            states.failed("There is no such edition, or your role may not read it: choose another.")
        else:
            _edition(chosen or made[0])


def _kind(shown: Shown) -> None:
    kind = shown.kind
    tools = panels.heading(kind.title)
    if not shown.is_allowed:
        who = f"It is for the {kind.audience} audience: ask an admin for a role that may."
        states.forbidden("this report", who)
        return
    if permission.may_read(Right.ACTION, "report.make"):
        with tools.popover(
            "Make", icon=":material/refresh:", type="tertiary", key=f"make-{kind.name}"
        ):
            _maker(shown)
    failed = shown.failed
    if failed and failed.outcome == "failed":
        states.failed(f"{failed.period}: {failed.reason}")
    st.html(f'<p class="tta-quiet">{_stand(shown)}</p>')


def _stand(shown: Shown) -> str:
    """The newest edition, and what is due or has nothing to say."""
    words = [markup.text(shown.kind.about)]
    if shown.newest:
        age = formats.age((readings.now() - shown.newest.at).total_seconds())
        link = markup.link(shown.newest.period, address.here(edition=shown.newest.edition))
        words = [f"{_pill(shown.newest)} {link}, made {age} ago."]
    if shown.failed and shown.failed.outcome == "empty":
        words.append(markup.text(shown.failed.reason[:1].upper() + shown.failed.reason[1:]))
    elif shown.is_late:
        words.append(f"{markup.text(shown.period)} is due and not made yet.")
    return " ".join(words)


def _maker(shown: Shown) -> None:
    name = shown.kind.name
    with st.form(f"form-{name}", border=False):
        period = st.text_input(
            "Period", placeholder=shown.period, key=f"period-{name}",
            help="The newest that is over, unless another is named.",
        )  # fmt: skip
        if st.form_submit_button("Make it now"):
            with st.spinner("Some seconds"):
                edition, words = deeds.make(name, shown.kind.audience, period or shown.period)
            if not edition:
                states.failed(words)
                return
            st.session_state[_SAID] = words
            st.query_params["edition"] = edition
            st.rerun()


def _list(made: list[Entry]) -> None:
    panels.heading("Editions")
    rows = pd.DataFrame(
        [
            {
                "period": e.period, "report": e.kind.replace("-", " "), "state": (e.state, ""),
                "verdict": e.verdict, "made": f"{e.at:%d %b %H:%M}", "edition": e.edition,
                "delivered": "; ".join(e.delivered),
            }
            for e in made
        ]
    )  # fmt: skip
    columns = [
        Column("period", "Period", hover=_made_words),
        Column("report", "Report"),
        Column("state", "State", "pill"),
    ]
    ranked_table(
        rows, columns, key="editions", caption="Editions, the newest first", most=20,
        link=lambda row: address.here(edition=row["edition"]),
    )  # fmt: skip


def _made_words(row: dict[str, str]) -> str:
    return f"{row['verdict']} Made {row['made']} UTC. {row['delivered'] or 'Delivered nowhere.'}"


def _edition(entry: Entry) -> None:
    document = readings.document(entry)
    tools = panels.heading(f"{entry.kind.replace('-', ' ').capitalize()}, {entry.period}")
    if document is None:
        states.failed("Its files were removed or altered: make it again, by Make above.")
        return
    with tools:
        _downloads(entry)
    st.html(f"<p>{_pill(entry)} <b>{markup.text(document.verdict)}</b></p>")
    tiles([_tile(one) for one in document.figures])
    st.html(
        f'<p class="tta-quiet">{markup.text(document.period.words)}, against '
        f"{markup.text(document.period.previous_words)}. Edition {markup.text(document.edition)}, data "
        f"as of {document.as_of:%Y-%m-%d %H:%M} UTC.</p>"
    )
    for chart in document.charts:
        _chart(chart, document)
    for one in document.tables:
        _table(one, document)
    with st.expander("Method"):
        st.html("".join(f"<p>{markup.text(line)}</p>" for line in document.method))


def _downloads(entry: Entry) -> None:
    if not exports.may_export():
        return
    for form in FORMS:
        path = readings.file(entry, form)
        if path:
            st.download_button(
                form.upper(), exports.taking(entry.kind, form, lambda: entry.edition, path.read_bytes),
                f"{entry.kind}-{entry.period}-{entry.edition}.{form}", MIME[form],
                key=f"report-{entry.edition}-{form}", type="tertiary", icon=":material/download:",
                on_click="ignore",
            )  # fmt: skip


def _tile(one: Figure) -> Tile:
    return Tile(
        one.name, one.words, one.change_words or None, one.better,
        missing=one.missing or "Nothing was measured in this period.",
    )  # fmt: skip


def _chart(chart: Chart, document: Document) -> None:
    panels.heading(chart.title)
    if not chart.points:
        st.html(f'<p class="tta-quiet">{markup.text(chart.empty)}</p>')
        return
    spec = described(chart, document, look())
    st.vega_lite_chart(
        None, spec, theme=None, width="stretch", key=f"chart-{document.edition}-{chart.title}"
    )


def _table(one: Table, document: Document) -> None:
    panels.heading(one.title)
    if not one.rows:
        st.html(f'<p class="tta-quiet">{markup.text(one.empty)}</p>')
        return
    names = [f"c{place}" for place in range(len(one.columns))]
    columns = [
        Column(name, column.title, "number" if column.is_number else "text", _form(column.digits))
        for name, column in zip(names, one.columns, strict=True)
    ]
    key = f"{one.title.lower().replace(' ', '-').replace(',', '')}"
    frame_of = pd.DataFrame(one.rows, columns=pd.Index(names)).astype(object)
    ranked_table(
        frame_of, columns, key=key, caption=f"{document.title}: {one.title}", most=_MOST_TABLE
    )
    if one.note:
        st.html(f'<p class="tta-quiet">{markup.text(one.note)}</p>')


def _form(digits: int | None):  # noqa: ANN202
    return lambda value: told(None if pd.isna(value) else value, digits or 0)


def _pill(entry: Entry) -> str:
    known: dict[str, markup.State] = {"ok": "ok", "warning": "warning", "critical": "critical"}
    return markup.pill(known.get(entry.state, "unknown"))


main()
