"""Whether the labels that an imported rule names exist here, and hold what it expects.

Here: labels that the gate drops or masks, against the allow-list. Not here: translating (`importer`).
A matcher that can never hold makes a rule that can never fire: it is refused instead.
"""

import re
from collections.abc import Iterator
from typing import Any

from privacy.gate.allow_list import AllowList, Treatment

_OURS = frozenset("component environment host state le quantile job instance".split())


class NeverHolds(Exception):
    """A matcher can never hold; the message is the reason."""


def check_labels(when: Any, allowed: AllowList) -> list[str]:
    """What is lost of the labels that a rule names; raises NeverHolds."""
    notes: list[str] = []
    for where, by in _named(when):
        for label, matcher in where.items():
            _check_matcher(label, str(matcher), allowed)
        for label in by:
            if _treatment(label, allowed) is Treatment.DROP:
                notes.append(
                    f"label {label} is not kept, so series that differ in it are told together"
                )
    return sorted(set(notes))


def _check_matcher(label: str, matcher: str, allowed: AllowList) -> None:
    treatment = _treatment(label, allowed)
    if treatment is None or _takes_absence(matcher):
        return
    if treatment is Treatment.DROP:
        raise NeverHolds(
            f"label {label} is not kept here, so its matcher can never hold: allow it with"
            f" `privacy policy set {label} allow`, or leave the matcher out"
        )
    if treatment is Treatment.PSEUDONYMISE:
        raise NeverHolds(f"label {label} is kept as a pseudonym, so its matcher can never hold")


def _treatment(label: str, allowed: AllowList) -> Treatment | None:
    """None for labels of our own, which are always there."""
    return None if label in _OURS else allowed.decide("metric", label).treatment


def _takes_absence(matcher: str) -> bool:
    """Whether a matcher holds for a series without the label."""
    if matcher.startswith("!~"):
        return not _fits_nothing(matcher[2:], otherwise=False)
    if matcher.startswith("~"):
        return _fits_nothing(matcher[1:], otherwise=True)
    return matcher != "!" if matcher.startswith("!") else matcher == ""


def _fits_nothing(pattern: str, *, otherwise: bool) -> bool:
    try:
        return re.fullmatch(pattern, "") is not None
    except re.error:
        # What is wrong with a pattern is told where rules are read.
        return otherwise


def _named(when: Any) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Matchers and groupings of every selection and aggregate of a condition."""
    if isinstance(when, dict):
        if "metric" in when or "aggregate" in when:
            yield when.get("where") or {}, when.get("by") or []
        for value in when.values():
            yield from _named(value)
