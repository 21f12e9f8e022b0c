"""Release of engagement figures: aggregates in which nobody can be singled out, published once.

Here: everything between rows about pseudonyms and a public table. Not here: which marts exist and
what their rows mean (`dbt/`), running it (`dagster_project/`), pages.

    spec = Histogram(
        mart="daily_active_players", period="day", epsilon=0.1,
        dimensions=(Dimension("site", ("north", "south", "web")),),
    )
    gate = ReleaseGate(home, keys, budget=settings.release.epsilon_per_28_days, audit=log.append)
    released = gate.release(rows, spec, Period.parse("2026-03-02"))
    released.counts       # pyarrow: mart period level site count low high reason suppressed_cells
    released.statistics   # pyarrow: mart period statistic about site value low high method reason
    released.receipt      # mart, period, mechanism, epsilon, bound, digests, released_at

`rows` is a pyarrow or polars table of that period only: a column `subject` (a pseudonym that is the
same for a person throughout the period), one column per dimension, others are ignored. Rows without
a subject do not count; values that are not public count in the bin `other`. Jobs that may run again call
`gate.release_or_find(lambda: rows, spec, period)`; marts are built from `gate.ledger.released(mart)`.

A second release of a period, one over budget, or one of a period that is not over raises
`ReleaseRefused`. Erasing a person changes no published figure and releases nothing.
"""

from privacy.release.dimensions import Dimension, ReleaseProblem
from privacy.release.epsilon_budget import Plan, Statement, plan, statement
from privacy.release.period import Period, PeriodKind, PeriodProblem
from privacy.release.release_gate import ReleaseGate, ReleaseRefused
from privacy.release.release_ledger import LedgerProblem, ReleaseLedger
from privacy.release.release_spec import Histogram, Keep, Mechanism, Statistic
from privacy.release.results import Receipt, Released, Result

__all__ = [
    "Dimension",
    "Histogram",
    "Keep",
    "LedgerProblem",
    "Mechanism",
    "Period",
    "PeriodKind",
    "PeriodProblem",
    "Plan",
    "Receipt",
    "ReleaseGate",
    "ReleaseLedger",
    "ReleaseProblem",
    "ReleaseRefused",
    "Released",
    "Result",
    "Statement",
    "Statistic",
    "plan",
    "statement",
]
