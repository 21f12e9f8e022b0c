"""What filters of pages about calls offer: components, environments and releases that were heard.

Here: choices. Not here: the widgets (`header/filter_bar`).
"""

from streamlit_app.components.panels import asked
from streamlit_app.readings import releases
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
