"""What a release is counted by: a column and its public values, in order.

Here: bins, written down before any row is seen, and their checks. Not here: what a mart publishes of
them (`spec`).
"""

import math
import re
from dataclasses import dataclass
from itertools import pairwise

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
_LABEL = re.compile(r"[\w .<>=+:/()\[\],-]{1,64}\Z")
# Columns of the released tables; a dimension cannot have the same name.
RESERVED = frozenset(
    """mart period level count low high reason suppressed_cells statistic about value method
    subject""".split()
)


class ReleaseProblem(ValueError):
    """A spec or a table cannot be released as it is; the message names the cause and the fix."""


@dataclass(frozen=True)
class Dimension:
    """A column and its public values, in order.

    With `edges` the column is numeric: bin i holds edges[i] <= x < edges[i + 1], what lies outside
    counts in the first or last bin. A missing or unknown value goes to the bin named `other`; with
    `other=None` such a row is refused.
    """

    name: str
    values: tuple[str, ...]
    other: str | None = "other"
    edges: tuple[float, ...] | None = None

    @classmethod
    def of_edges(
        cls, name: str, edges: tuple[float, ...], other: str | None = "other"
    ) -> "Dimension":
        """A numeric dimension; its bins are named `0 to 5`, `5 to 10`, …."""
        labels = tuple(f"{low:g} to {high:g}" for low, high in pairwise(edges))
        return cls(name, labels, other, tuple(float(edge) for edge in edges))

    def __post_init__(self) -> None:
        if not NAME.match(self.name) or self.name in RESERVED:
            raise ReleaseProblem(
                f"dimension {self.name!r}: a name is lower case with _, and none of "
                f"{', '.join(sorted(RESERVED))}."
            )
        labels = self.labels
        if not self.values or len(set(labels)) != len(labels):
            raise ReleaseProblem(f"dimension {self.name}: give at least one value, each once.")
        if not all(_LABEL.match(label) for label in labels):
            raise ReleaseProblem(
                f"dimension {self.name}: a value is 1 to 64 letters, digits, spaces or signs."
            )
        if self.edges is not None and not _ascend(self.edges, len(self.values)):
            raise ReleaseProblem(
                f"dimension {self.name}: edges are finite, ascending, one more than its values."
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """All bins, the one for other values last."""
        return self.values if self.other is None else (*self.values, self.other)

    @property
    def scores(self) -> tuple[float, ...]:
        """A number per value: the middle of a numeric bin, else its position."""
        if self.edges is None:
            return tuple(float(i) for i in range(len(self.values)))
        return tuple((low + high) / 2 for low, high in pairwise(self.edges))


def _ascend(edges: tuple[float, ...], values: int) -> bool:
    finite = all(math.isfinite(edge) for edge in edges)
    return finite and len(edges) == values + 1 and all(a < b for a, b in pairwise(edges))
