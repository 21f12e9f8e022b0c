"""The minute that somebody clicked on a chart: as a view of its own, and as a line that says so.

Here: from `at` in the address to a range. Not here: charts, which write it (`drawing`).
"""

from datetime import timedelta

import streamlit as st

from streamlit_app.components import address, markup
from streamlit_app.view import View, moment

_LEAST_S = 60
_COLD = timedelta(minutes=10)


def chosen(view: View, step_s: int) -> View | None:
    """The view of the clicked bucket of `step_s`, at least a minute long; None when none is chosen."""
    at = moment(st.query_params.get("at", ""))
    if at is None:
        return None
    start_at = at.replace(second=0)
    return view.but(start_at=start_at, end_at=start_at + timedelta(seconds=max(step_s, _LEAST_S)))


def around(view: View) -> View:
    """The view, at least ten minutes long around its middle: of so long marts keep the slowest together."""
    if view.length >= _COLD:
        return view
    missing = (_COLD - view.length) / 2
    return view.but(
        start_at=(view.start_at - missing).replace(microsecond=0),
        end_at=(view.end_at + missing).replace(microsecond=0),
    )


def line(minute: View | None) -> None:
    """Which minute is shown, and the way out of it; nothing when none is chosen."""
    if minute is None:
        return
    out = markup.link("show the whole range", address.here(at=None))
    said = f"{markup.pill('info', words(minute))} · {out}"
    st.html(f'<p class="tta-quiet" role="status" style="margin:0">{said}</p>')


def words(minute: View) -> str:
    """`12:04 to 12:05`, in the zone of the view."""
    start, end = minute.local(minute.start_at), minute.local(minute.end_at)
    day = "" if start.date() == minute.local(address.now()).date() else f"{start:%d %b} "
    return f"Only {day}{start:%H:%M} to {end:%H:%M}"
