"""Every named query.

Here: their names. Not here: their SQL (modules beside this one), running one (`asking`).
"""

from live_tail.window.queries import calls, components, errors, events, requests
from live_tail.window.queries.named_query import NamedQuery

QUERIES: dict[str, NamedQuery] = {
    **requests.QUERIES,
    **calls.QUERIES,
    **components.QUERIES,
    **errors.QUERIES,
    **events.QUERIES,
}
