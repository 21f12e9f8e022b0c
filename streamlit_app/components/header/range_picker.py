"""When: a relative or an absolute range, the zone of its clock, and what it is compared with.

Here: the widgets, which write the address. Not here: what a range is (`view`).
"""

from datetime import date, datetime, time, timedelta

import streamlit as st

from privacy.access.access_policy import Right
from streamlit_app.components import address
from streamlit_app.readings import releases, source
from streamlit_app.sign_in import permission
from streamlit_app.view import PREVIOUS, RANGES, RELEASE, View, instant, is_zone

_WIDTH, _RELEASES = 420, 8
_OFF, _BEFORE = "Off", "Previous period"
_ZONES = (
    "UTC", "Europe/London", "Europe/Berlin", "Europe/Athens", "Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo",
    "Australia/Sydney", "America/Sao_Paulo", "America/New_York", "America/Chicago", "America/Denver",
    "America/Los_Angeles",
)  # fmt: skip


def range_picker(shown: View) -> None:
    """A button that says the range, and opens the ways to change it."""
    with (
        st.popover(words(shown), icon=":material/schedule:", help="Time range", key="pick-range"),
        st.container(width=_WIDTH),
    ):
        _relative(shown)
        _steps(shown)
        _absolute(shown)
        _zone(shown)


def words(shown: View) -> str:
    """`Last 1 h`, or `1 Mar 14:00 to 15:30`, in the zone of the view."""
    if shown.label:
        return f"Last {shown.label}"
    start, end = shown.local(shown.start_at), shown.local(shown.end_at)
    until = f"{end:%H:%M}" if start.date() == end.date() else f"{end.day} {end:%b %H:%M}"
    return f"{start.day} {start:%b %H:%M} to {until}"


def _relative(shown: View) -> None:
    st.session_state["range-label"] = shown.label
    st.pills("Last", list(RANGES), key="range-label", on_change=_pick_relative, args=(shown,))


def _pick_relative(shown: View) -> None:
    label = st.session_state["range-label"]
    if label:
        address.go(shown.but(label=label, end_at=address.now().replace(microsecond=0)))


def _steps(shown: View) -> None:
    length, now = shown.length, address.now()
    end = min(shown.end_at + length, now)
    around = min(shown.end_at + length / 2, now)
    steps = {
        ("Earlier", "chevron_left"): (shown.start_at - length, shown.end_at - length),
        ("Later", "chevron_right"): (end - length, end),
        ("Longer", "zoom_out"): (around - 2 * length, around),
        ("Shorter", "zoom_in"): (shown.start_at + length / 4, shown.end_at - length / 4),
    }
    for column, ((label, icon), ends) in zip(st.columns(4), steps.items(), strict=True):
        column.button(
            label,
            icon=f":material/{icon}:",
            key=f"range-{label}",
            type="tertiary",
            on_click=_pick_step,
            args=(shown, *ends),
        )


def _pick_step(shown: View, start_at: datetime, end_at: datetime) -> None:
    start_at, end_at = shortest(start_at, end_at)
    address.go(shown.but(start_at=start_at, end_at=end_at))


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _absolute(shown: View) -> None:
    with st.form("absolute", border=False):
        start, end = shown.local(shown.start_at), shown.local(shown.end_at)
        days, times = st.columns([3, 2])
        from_day = days.date_input("From", start.date(), key=f"from-day-{start:%F}")
        from_time = times.time_input("at", start.time(), step=60, key=f"from-time-{start:%F%T}")
        to_day = days.date_input("To", end.date(), key=f"to-day-{end:%F}")
        to_time = times.time_input("until", end.time(), step=60, key=f"to-time-{end:%F%T}")
        if st.form_submit_button("Show", type="primary"):
            _pick_absolute(shown, (from_day, from_time), (to_day, to_time))


def _pick_absolute(shown: View, start: tuple[date, time], end: tuple[date, time]) -> None:
    start_at = instant(datetime.combine(*start), shown.zone)
    end_at = instant(datetime.combine(*end), shown.zone, is_end=True)
    try:
        address.go(shown.but(start_at=start_at, end_at=end_at))
    except ValueError as problem:
        st.error(str(problem).capitalize())
        return
    st.rerun()


def _zone(shown: View) -> None:
    own = st.context.timezone
    options = list(dict.fromkeys([*_ZONES, *([own] if own and is_zone(own) else []), shown.zone]))
    st.session_state["range-zone"] = shown.zone
    st.selectbox(
        "Time zone",
        options,
        key="range-zone",
        accept_new_options=True,
        on_change=_pick_zone,
        args=(shown,),
    )


def _pick_zone(shown: View) -> None:
    zone = st.session_state["range-zone"]
    if zone and is_zone(zone):
        address.go(shown.but(zone=zone))
    else:
        st.toast(f"{zone} is no time zone: write it as Europe/Berlin.", icon=":material/error:")


def compare_picker(shown: View) -> None:
    """Nothing, the period before, or a release."""
    options = [_OFF, _BEFORE, *_releases(shown)]
    chosen = _compared(shown.compare)
    if chosen not in options:
        options.append(chosen)
    label = "Compare" if chosen == _OFF else f"vs {chosen.lower() if chosen == _BEFORE else chosen}"
    with st.popover(
        label, icon=":material/compare_arrows:", help="Compare with", key="pick-compare"
    ):
        st.session_state["compare-with"] = chosen
        st.radio(
            "Compare with", options, key="compare-with", on_change=_pick_compare, args=(shown,)
        )
        start_at, end_at = shown.previous()
        if chosen == _BEFORE:
            before = View(start_at, end_at, None, zone=shown.zone)
            st.caption(f"The dashed line is {words(before)}.")


def _releases(shown: View) -> list[str]:
    """The latest releases that were heard, the newest first, for whoever may read them."""
    may_ask = permission.may_read(Right.QUERY, "releases")
    if not (may_ask and permission.may_read(Right.AUDIENCE, source.AUDIENCE)):
        return []
    rows = releases.known(shown.component).frame
    return list(dict.fromkeys(reversed(rows["version"].tolist())))[:_RELEASES] if len(rows) else []


def _compared(compare: str | None) -> str:
    if compare is None:
        return _OFF
    return _BEFORE if compare == PREVIOUS else compare.removeprefix(RELEASE)


def _pick_compare(shown: View) -> None:
    chosen = st.session_state["compare-with"]
    compare = {_OFF: None, _BEFORE: PREVIOUS}.get(chosen, f"{RELEASE}{chosen}")
    address.go(shown.but(compare=compare))


def shortest(start_at: datetime, end_at: datetime) -> tuple[datetime, datetime]:
    """A dragged range in whole seconds, at least half a minute long around its middle."""
    least = timedelta(seconds=30)
    if end_at - start_at < least:
        middle = start_at + (end_at - start_at) / 2
        start_at, end_at = middle - least / 2, middle + least / 2
    return _whole(start_at), _whole(end_at)
