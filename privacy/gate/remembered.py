"""Treatments with a bounded memory: a distinct value is treated once while it is remembered.

Here: one `Remembered` for each treatment of the allow-list, and the day of the pseudonyms. Not here: what
a treatment does to one string (`treatments`), whole columns (`columns`). The memory is bounded in bytes and
never leaves the process.
"""

from collections.abc import Callable
from datetime import date

from privacy.gate.allow_list import Treatment
from privacy.gate.treatments import (
    allow,
    file,
    host,
    keep,
    label,
    name,
    path,
    product,
    scrub,
    service,
    span_name,
    stack,
    statement,
)
from privacy.gate.turn import Turn
from privacy.keys.pseudonyms import PseudonymSource

_MEMORY_BYTES = 6_000_000
_ENTRY_BYTES = 200


def _dropped(_: str) -> str:
    return ""


class Remembered:
    """A treatment with a bounded memory of distinct values, held in this process only."""

    def __init__(self, treat: Callable[[str], str], turn: Turn | None = None) -> None:
        self._treat = treat
        self._turn = turn or Turn()
        self._known: dict[str, str] = {}
        self._held = 0

    def __call__(self, value: str) -> str:
        """The kept form; a distinct value is treated once while it is remembered."""
        found = self._known.get(value)
        if found is None:
            self._turn.check()
            found = self._treat(value)
            size = len(value) + len(found) + _ENTRY_BYTES
            # Of identifiers that come once each nothing is worth keeping; what comes often is soon back.
            if self._held + size > _MEMORY_BYTES:
                self.forget()
            self._held += size
            self._known[value] = found
        return found

    def forget(self) -> None:
        """Drop what is remembered."""
        self._known.clear()
        self._held = 0


class Treatments:
    """All treatments with their memories; one per process and thread. A new value asks the `turn`."""

    def __init__(self, pseudonyms: PseudonymSource, turn: Turn | None = None) -> None:
        turn = turn or Turn()
        self._pseudonyms = pseudonyms
        self._day: date | None = None
        self._stamp: object = None
        self.span_name = Remembered(span_name, turn)
        self.scrub = Remembered(scrub, turn)
        self.name = Remembered(name, turn)
        self._by_treatment: dict[Treatment, Remembered] = {
            Treatment.DROP: Remembered(_dropped, turn),
            Treatment.KEEP: Remembered(keep, turn),
            Treatment.NAME: self.name,
            Treatment.SERVICE: Remembered(service, turn),
            Treatment.ALLOW: Remembered(allow, turn),
            Treatment.SCRUB: self.scrub,
            Treatment.STACK: Remembered(stack, turn),
            Treatment.HOST: Remembered(host, turn),
            Treatment.LABEL: Remembered(label, turn),
            Treatment.PATH: Remembered(path, turn),
            Treatment.STATEMENT: Remembered(statement, turn),
            Treatment.FILE: Remembered(file, turn),
            Treatment.PRODUCT: Remembered(product, turn),
            Treatment.PSEUDONYMISE: Remembered(self._pseudonym, turn),
        }

    def begin(self, day: date) -> None:
        """Set the day whose pseudonym key applies; pseudonyms that are out of date are forgotten."""
        self._day = day
        stamp = self._pseudonyms.stamp(day)
        if stamp != self._stamp:
            self._stamp = stamp
            self._by_treatment[Treatment.PSEUDONYMISE].forget()

    def of(self, treatment: Treatment) -> Remembered:
        """The function of a treatment."""
        return self._by_treatment[treatment]

    def _pseudonym(self, value: str) -> str:
        if self._day is None:
            raise RuntimeError("Treatments.begin(day) must come first")
        if value in _NOBODY:
            return value
        return self._pseudonyms.of(value, self._day)


_NOBODY = frozenset({"", "unknown", "anonymous", "None", "null", "none"})
