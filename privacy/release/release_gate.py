"""The release gate: the one way by which a figure about people's engagement becomes public.

Here: refusing, then bound → count → noise → threshold → commit, once per mart and period. Not here:
any second way. The order makes `once` hold: under the ledger's lock nothing is drawn for a period
that is in the ledger; what is drawn is committed before anybody can see it; readers read the ledger.
A process killed before the commit has shown its draw to nobody, one killed after it has published.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from privacy.keys.key_store import KeyStore
from privacy.release.cells import published_cells
from privacy.release.epsilon_budget import DEFAULT_EPSILON, over_budget
from privacy.release.k_anonymity import LIMITS, protected_cells
from privacy.release.mechanism import noisy
from privacy.release.period import Period
from privacy.release.release_ledger import Entry, LedgerProblem, ReleaseLedger
from privacy.release.release_spec import Histogram, Mechanism
from privacy.release.results import Released, Result
from privacy.release.statistics import figures

if TYPE_CHECKING:
    from privacy.release.bounding import Rows

Audit = Callable[..., Any]
DP_LIMITS = (
    "Discrete Laplace noise, epsilon {epsilon:g} per person and period, one cell per person, published "
    "once. Whoever knows everybody else is right about one person's presence with probability at most "
    "e^epsilon / (1 + e^epsilon). It bounds what one person's data can change, not what is true of "
    "groups; threshold and rounding are for legibility and are not the guarantee."
)


class ReleaseRefused(Exception):
    """This release may not happen; `reason` names why: it is part of the audit entry."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ReleaseGate:
    """Releases of one data home.

    `audit` is called as `audit(actor=, action="release.publish", target=, outcome=, **details)` for every
    release and refusal (`AuditLog.append`). `now` is the clock, in UTC.
    """

    def __init__(
        self,
        home: Path,
        keys: KeyStore,
        *,
        budget: float = DEFAULT_EPSILON,
        allow_k_anonymity: bool = False,
        audit: Audit | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.ledger = ReleaseLedger(home, keys)
        self._budget = budget
        self._allow_k_anonymity = allow_k_anonymity
        self._audit = audit
        self._now = now

    def release(
        self, rows: "Rows", spec: Histogram, period: Period, actor: str = "release"
    ) -> Released:
        """Publish once. Raises ReleaseRefused, ReleaseProblem (rows) or LedgerProblem (tampering)."""
        target = f"{spec.mart}/{period.label}"
        with self.ledger.lock():
            try:
                self._refuse(spec, period)
            except (ReleaseRefused, LedgerProblem) as error:
                reason = error.reason if isinstance(error, ReleaseRefused) else "ledger"
                self._tell(actor, target, "refused", reason=reason, epsilon=spec.epsilon)
                raise
            # Polars, and only a period that is released needs it.
            from privacy.release.bounding import bounded_counts  # noqa: PLC0415

            counts = bounded_counts(rows, spec)
            result = draw(counts, spec, period)
            entry = self.ledger.append(self._draft(spec, period, result), result)
        released = Released(result, entry.receipt)
        self._tell(
            actor, target, "done", epsilon=spec.epsilon, mechanism=spec.mechanism.value,
            spec_digest=spec.digest, result_digest=result.digest, entry_digest=entry.entry_digest,
        )  # fmt: skip
        return released

    def release_or_find(
        self, rows: "Callable[[], Rows]", spec: Histogram, period: Period, actor: str = "release"
    ) -> Released:
        """What is published of this period, released now if it was not; for jobs that run again.

        `rows` is called only when there is something to release. A period that is already published
        comes back as it was, whatever happened to rows or spec since.
        """
        found = self.ledger.find(spec.mart, period)
        return found or self.release(rows(), spec, period, actor)

    def _refuse(self, spec: Histogram, period: Period) -> None:
        target = f"{spec.mart} {period.label}"
        entries = self.ledger.checked_entries()
        # A crash between commit and head leaves the head behind; it catches up before it matters.
        self.ledger.note_head()
        if any((entry.mart, entry.period) == (spec.mart, period.label) for entry in entries):
            raise ReleaseRefused(
                "published",
                f"{target} was published already; it never changes. Read it with find().",
            )
        if period.kind is not spec.period:
            raise ReleaseRefused(
                "kind", f"{target} is a {period.kind}, {spec.mart} is by {spec.period}."
            )
        if not period.is_over(self._now()):
            raise ReleaseRefused(
                "not over", f"{target} is not over: release it after {period.last} in UTC."
            )
        if spec.mechanism is Mechanism.K_ANONYMITY:
            if not self._allow_k_anonymity:
                raise ReleaseRefused(
                    "mechanism",
                    f"{spec.mart} asks for k-anonymity, which this site has not chosen: set "
                    "release.allow_k_anonymity, or use discrete_laplace.",
                )
            return
        cause = over_budget(entries, period.last, spec.micro_epsilon or 0, self._budget)
        if cause:
            raise ReleaseRefused(
                "budget",
                f"{target}: {cause}. Publish fewer marts, or raise release.epsilon_per_28_days.",
            )

    def _draft(self, spec: Histogram, period: Period, result: Result) -> Entry:
        return Entry(
            seq=0,
            mart=spec.mart,
            period=period.label,
            micro_epsilon=spec.micro_epsilon,
            contribution_bound=spec.contribution_bound,
            keep=spec.keep.value,
            mechanism=spec.mechanism.value,
            spec_digest=spec.digest,
            result_digest=result.digest,
            released_at=self._now().astimezone(UTC).isoformat(),
        )

    def _tell(self, actor: str, target: str, outcome: str, **details: object) -> None:
        if self._audit is not None:
            self._audit(
                actor=actor, action="release.publish", target=target, outcome=outcome, **details
            )


def draw(counts: np.ndarray, spec: Histogram, period: Period) -> Result:
    """One result from exact int64 counts of the spec's shape: noise once, everything else follows from that.

    Only `ReleaseGate` may show what this returns; a second draw of the same period shown to the same
    reader doubles the privacy loss (`tests/privacy/release/test_one_person.py`).
    """
    if spec.mechanism is Mechanism.K_ANONYMITY:
        cells, shown, limits = protected_cells(counts, spec), (), LIMITS
    else:
        epsilon = spec.epsilon or 0.0
        drawn = noisy(counts, epsilon)
        cells = published_cells(drawn, spec)
        seed = int(spec.digest[:12], 16) ^ period.first.toordinal()
        shown, limits = figures(drawn, spec, seed), DP_LIMITS.format(epsilon=epsilon)
    return Result(spec.mart, period.label, spec.names, limits, tuple(cells), tuple(shown))
