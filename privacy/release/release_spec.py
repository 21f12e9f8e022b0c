"""What a mart may publish, frozen: bins, bound, epsilon, threshold, margins, statistics.

Here: the description and its checks. Not here: applying it (`bounding`, `mechanism`, `cells`,
`statistics`, `k_anonymity`). Bins are public: they are written down before any row is seen, so
that an empty bin and a full one look alike. The digest of a spec stands in the ledger.
"""

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum

from privacy.release.dimensions import NAME, Dimension, ReleaseProblem
from privacy.release.period import PeriodKind

MAX_BINS = 20_000
_MICRO = Decimal(1_000_000)


class Keep(StrEnum):
    """Which one cell of a person's rows counts; ties and order follow the order of the bins."""

    MOST_FREQUENT = "most_frequent"
    LOWER_MEDIAN = "lower_median"
    FIRST = "first"
    LAST = "last"


class Mechanism(StrEnum):
    """How counts are protected."""

    DISCRETE_LAPLACE = "discrete_laplace"
    K_ANONYMITY = "k_anonymity"


@dataclass(frozen=True)
class Statistic:
    """A figure that follows from the noisy histogram: it costs no further epsilon.

    `kind` is `quantile` (of numeric `dimension`, at `q`), `rate` (share of `value` among the named
    values of `dimension`) or `correlation` (Pearson's r of the bins' scores of `dimension` and
    `other_dimension`). One figure per combination of the dimensions in `by`; below `min_count`
    people (noisy) there is none.
    """

    kind: str
    dimension: str
    by: tuple[str, ...] = ()
    q: float = 0.5
    value: str | None = None
    other_dimension: str | None = None
    min_count: int = 100

    @property
    def name(self) -> str:
        """`quantile_0.5`, `rate_completed`, `correlation_with_progress`."""
        if self.kind == "quantile":
            return f"quantile_{self.q:g}"
        suffix = self.value if self.kind == "rate" else f"with_{self.other_dimension}"
        return f"{self.kind}_{suffix}"


@dataclass(frozen=True)
class Histogram:
    """One mart's release: a count of people per cell of the cross product of the dimensions.

    A person counts in one cell per period, chosen by `keep`; `contribution_bound` is that 1.
    `margins` name the dimensions that stay: `("site",)` a total per site, `()` the grand total.
    `epsilon` is per period and person; with `k_anonymity` it is None, for there is none to state.
    """

    mart: str
    period: PeriodKind
    dimensions: tuple[Dimension, ...]
    epsilon: float | None
    margins: tuple[tuple[str, ...], ...] = ((),)
    statistics: tuple[Statistic, ...] = ()
    keep: Keep = Keep.MOST_FREQUENT
    threshold: int = 10
    rounding: int = 5
    subject: str = "subject"
    mechanism: Mechanism = Mechanism.DISCRETE_LAPLACE
    contribution_bound: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "period", PeriodKind(self.period))
        object.__setattr__(self, "keep", Keep(self.keep))
        object.__setattr__(self, "mechanism", Mechanism(self.mechanism))
        if not NAME.match(self.mart):
            raise ReleaseProblem(f"mart {self.mart!r}: a name is lower case letters, digits and _.")
        if self.contribution_bound != 1:
            raise ReleaseProblem(f"{self.mart}: a person counts in one cell, the bound is 1.")
        self._check_epsilon()
        self._check_dimensions()
        self._check_statistics()
        if not 1 <= self.rounding <= self.threshold:
            raise ReleaseProblem(
                f"{self.mart}: rounding is at least 1 and not above the threshold, else a shown "
                "count could be 0."
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """Bins per dimension."""
        return tuple(len(dimension.labels) for dimension in self.dimensions)

    @property
    def bins(self) -> int:
        """Number of cells, empty ones included."""
        return math.prod(self.shape)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the dimensions."""
        return tuple(dimension.name for dimension in self.dimensions)

    @property
    def micro_epsilon(self) -> int | None:
        """Epsilon in millionths, rounded up, so that sums of many are exact."""
        if self.epsilon is None:
            return None
        exact = Decimal(str(self.epsilon)) * _MICRO
        return int(exact.to_integral_value(rounding=ROUND_CEILING))

    @property
    def digest(self) -> str:
        """SHA-256 of the spec's canonical JSON, in hex."""
        text = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def axis(self, name: str) -> int:
        """Position of a dimension."""
        return self.names.index(name)

    def _check_epsilon(self) -> None:
        if self.mechanism is Mechanism.K_ANONYMITY:
            if self.epsilon is not None or self.statistics:
                raise ReleaseProblem(
                    f"{self.mart}: k-anonymity has no epsilon and no statistics; use "
                    "discrete_laplace for those."
                )
        elif self.epsilon is None or not 1e-6 <= self.epsilon <= 10:
            raise ReleaseProblem(f"{self.mart}: epsilon lies between 0.000001 and 10.")

    def _check_dimensions(self) -> None:
        names = self.names
        if not names or len(set(names)) != len(names) or self.subject in names:
            raise ReleaseProblem(
                f"{self.mart}: give at least one dimension, each once, none of them the subject."
            )
        if self.bins > MAX_BINS:
            raise ReleaseProblem(f"{self.mart}: {self.bins} bins, at most {MAX_BINS} are allowed.")
        wanted = [frozenset(margin) for margin in self.margins]
        known = all(set(m) < set(names) and len(set(m)) == len(m) for m in self.margins)
        if not known or len(set(wanted)) != len(wanted):
            raise ReleaseProblem(
                f"{self.mart}: a margin names some, not all, of the dimensions, each margin once."
            )

    def _check_statistics(self) -> None:
        for statistic in self.statistics:
            problem = _statistic_problem(statistic, self)
            if problem:
                raise ReleaseProblem(f"{self.mart}: statistic {statistic.name}: {problem}.")


def _statistic_problem(statistic: Statistic, spec: Histogram) -> str | None:
    by_name = {dimension.name: dimension for dimension in spec.dimensions}
    used = [statistic.dimension, *statistic.by]
    if statistic.kind == "correlation":
        used.append(statistic.other_dimension or "")
    if not set(used) <= set(by_name) or len(set(used)) != len(used):
        return "it names each of its dimensions once, and the mart must have them"
    if statistic.min_count < spec.threshold:
        return "min_count is at least the threshold"
    dimension = by_name[statistic.dimension]
    if statistic.kind == "quantile":
        is_wrong = dimension.edges is None or not 0 < statistic.q < 1
        return "a quantile needs edges and 0 < q < 1" if is_wrong else None
    if statistic.kind == "rate":
        known = statistic.value in dimension.values and len(dimension.values) > 1
        return None if known else "a rate needs one of at least two values"
    return None if statistic.kind == "correlation" else "its kind is quantile, rate or correlation"
