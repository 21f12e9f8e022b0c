"""What filters of pages about calls offer: the names that were heard.

Here: choices. Not here: the widgets (`header/filter_bar`).
"""

from collections.abc import Callable

from streamlit_app.components.panels import asked
from streamlit_app.readings import releases
from streamlit_app.readings.source import Reading
from streamlit_app.view import View


def released(view: View) -> dict[str, list[str]]:
    """Names by filter: component, environment, version; releases the newest first."""
    found = asked("releases", lambda shown: releases.known(shown.component), view)
    if found is None or found.frame.empty:
        return {}
    rows = found.frame
    return {
        "component": sorted(set(rows["component"])),
        "environment": sorted({name for name in rows["environment"] if name}),
        "version": list(dict.fromkeys(reversed(rows["version"].tolist()))),
    }


def heard(
    filter_name: str, query: str, ask: Callable[[View], Reading], view: View
) -> dict[str, list[str]]:
    """Names of one more filter: what its column holds in the answer to `ask`, whichever is chosen."""
    found = asked(query, ask, view.but(**{filter_name: None}))
    rows = () if found is None or found.frame.empty else found.frame[filter_name]
    return {filter_name: sorted(set(rows))}
