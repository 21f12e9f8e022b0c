"""Labels of alerts from outside, and what a matcher may hold: as the gate keeps them, and apart.

Here: which form of a label stays, and the keyed tag that tells masked ones apart: two alerts that differ
in what may not stay are two. Not here: texts of people (`api_v2`), matching (`matchers`). A tag is made
with the day's key: nobody can read it, and after the key's life nobody can link it.
"""

import re
from collections.abc import Callable, Mapping

from live_tail.alerts.words.matchers import parse
from privacy.gate.attribute_names import is_name
from privacy.gate.treatments import host, path, scrub, service

Tag = Callable[[str], str]
"""A short text of letters for a value, the same for the same value on one day."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
_META = re.compile(r"\.[*+?]|[|()^$\[\]{}*+?]")
_KEPT_AS = (service, host, path, scrub)


def kept_labels(labels: Mapping[str, str], tag: Tag) -> dict[str, str]:
    """Every label that has a value; what must be masked has a tag."""
    return {_kept_name(n, tag): _kept_value(v, tag) for n, v in labels.items() if v}


def may_stay(value: str) -> bool:
    """Whether a label can hold a value after the gate."""
    return any(treat(value) == value for treat in _KEPT_AS)


def matcher_may_stay(text: str, known: Callable[[str, str], bool]) -> bool:
    """Whether a matcher holds what a label can: what may stay, or what `known` says of name and value."""
    name, operator, pattern = parse(text)
    if not (_is_plain(name) or scrub(name) == name):
        return False
    plain = re.sub(r"\\(.)", r"\1", pattern.pattern)
    if may_stay(plain) or known(name, plain):
        return True
    # `127\.0\.0\.1:.*`: the parts between the signs of an expression are values.
    parts = (part.strip(":") for part in _META.split(plain)) if "~" in operator else (plain,)
    return all(not part or may_stay(part) for part in parts)


def _is_plain(name: str) -> bool:
    return bool(_NAME.match(name)) or is_name(name)


def _kept_name(name: str, tag: Tag) -> str:
    return name if _is_plain(name) or scrub(name) == name else f"label_{tag(name)}"


def _kept_value(value: str, tag: Tag) -> str:
    return value if may_stay(value) else f"{service(value)}~{tag(value)}"
