"""What the gate did, counted: by component, field and treatment, a batch at a time.

Here: the tally of one group of requests, which travels with it. Not here: deciding and treating
(`columns`), where counts are stored (`ingestion/receivers/committing/pipeline`). Counting costs a few vector
operations a column, never one a value.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from privacy.gate.allow_list import Decision, Treatment

UNKNOWN = "unknown"
_OUTCOMES = {
    Treatment.KEEP: "keep",
    Treatment.NAME: "keep",
    Treatment.SERVICE: "keep",
    Treatment.HOST: "keep",
    Treatment.LABEL: "keep",
    Treatment.ALLOW: "keep",
    Treatment.PSEUDONYMISE: "pseudonymise",
    Treatment.PATH: "template",
    Treatment.STATEMENT: "template",
    Treatment.FILE: "template",
    Treatment.PRODUCT: "template",
    Treatment.SCRUB: "scrub",
    Treatment.STACK: "scrub",
    Treatment.DROP: "drop",
}
OUTCOMES = (*dict.fromkeys(_OUTCOMES.values()), UNKNOWN)
"""What became of a value: kept as it was, replaced by a pseudonym, a template or a skeleton, dropped
because the allow-list says so, dropped because it says nothing."""


@dataclass(frozen=True)
class Owners:
    """The component that each row of a column belongs to."""

    codes: np.ndarray
    names: Sequence[str]

    @staticmethod
    def of(components: pa.Array) -> "Owners":
        """Owners from a column of component names without nulls."""
        encoded = components.dictionary_encode()
        return Owners(encoded.indices.to_numpy(), encoded.dictionary.to_pylist())

    def take(self, rows: np.ndarray) -> "Owners":
        """Owners of other rows, each given by the row it stems from."""
        return self if len(self.names) == 1 else Owners(self.codes[rows], self.names)

    def spread(self, lengths: np.ndarray) -> "Owners":
        """Owners of the values of a list column."""
        return self if len(self.names) == 1 else Owners(self.codes.repeat(lengths), self.names)


FindOwners = Callable[[pa.MapArray], Owners]
"""Owners that are known only when a resource's own attributes have passed the gate."""


@dataclass
class GateCounts:
    """What the gate did since the start, for the receiver's own metrics."""

    treated: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    def copy(self) -> "GateCounts":
        """As they are now, to return to when the work that comes is given up."""
        return GateCounts(self.treated.copy(), self.unknown.copy())


class Tally:
    """Values by (component, field, outcome) since the last `take`."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def take(self) -> Counter[tuple[str, str, str]]:
        """The counts so far; the tally starts anew."""
        taken, self._counts = self._counts, Counter()
        return taken

    def add(
        self,
        owners: Owners,
        codes: np.ndarray,
        rulings: Sequence[tuple[str, str]],
        moved: Sequence[tuple[np.ndarray, str]] = (),
    ) -> None:
        """Count values by their ruling (field, outcome); `codes` index rulings.

        `moved` names positions whose outcome differs from their ruling's.
        """
        wide = len(rulings)
        cells = codes if len(owners.names) == 1 else owners.codes.astype(np.int64) * wide + codes
        left = np.bincount(cells, minlength=wide * len(owners.names))
        for positions, outcome in moved:
            if len(positions):
                gone = np.bincount(cells[positions], minlength=len(left))
                self._note(gone, owners, rulings, outcome)
                left = left - gone
        self._note(left, owners, rulings, None)

    def _note(
        self,
        counts: np.ndarray,
        owners: Owners,
        rulings: Sequence[tuple[str, str]],
        outcome: str | None,
    ) -> None:
        for cell in np.flatnonzero(counts).tolist():
            owner, code = divmod(cell, len(rulings))
            field, ruled = rulings[code]
            self._counts[owners.names[owner], field, outcome or ruled] += int(counts[cell])


def outcome_of(decision: Decision) -> str:
    """The outcome that a decision asks for."""
    return _OUTCOMES[decision.treatment] if decision.is_listed else UNKNOWN
