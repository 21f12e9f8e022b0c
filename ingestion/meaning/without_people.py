"""Attributes of a trace without what stands for a person or a session.

Here: which attributes those are, and SQL that leaves them out. They passed the gate as pseudonyms; whoever
looks at a trace needs none, and a list of traces by pseudonym would say what one person did. Not here: the
gate's decisions (`privacy/gate`).
"""

from functools import cache

from privacy.gate.allow_list import Treatment, load_allow_list
from privacy.keys.pseudonyms import PREFIX

_OF_PROCESSES = frozenset({"service.instance.id"})
_PSEUDONYM = f"(^|[^a-z0-9]){PREFIX}[0-9a-f]{{16}}"


@cache
def names_of_people() -> tuple[str, ...]:
    """Attributes that the gate pseudonymises, without those of processes."""
    listed = load_allow_list().exact.items()
    found = {name for (_, name), d in listed if d.treatment is Treatment.PSEUDONYMISE}
    return tuple(sorted(found - _OF_PROCESSES))


def without_people_sql(attributes: str) -> str:
    """DuckDB's SQL for a map of attributes without them, whatever their name: no value is a pseudonym."""
    listed = ", ".join(f"'{name}'" for name in names_of_people())
    keeps = f"e.key NOT IN ({listed}) AND NOT regexp_matches(e.value, '{_PSEUDONYM}')"
    return f"map_from_entries(list_filter(map_entries({attributes}), lambda e: {keeps}))"


def events_without_people_sql(events: str) -> str:
    """DuckDB's SQL for a list of events, each with its attributes without them."""
    attributes = without_people_sql("event.attributes")
    made = f"{{'event_at': event.event_at, 'name': event.name, 'attributes': {attributes}}}"
    return f"list_transform({events}, lambda event: {made})"
