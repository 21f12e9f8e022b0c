"""The monthly report of privacy: what the gate held back, what expired, scans, releases, access.

Counts alone: who did something is in the audit log and not in a file that is passed on.
"""

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from dagster_project.leaks import runs as scan_runs
from dagster_project.leaks.runs import ScanRun
from dagster_project.reporting.document.figures import (
    Column,
    Figure,
    Table,
    figure,
    rounded,
    table,
    told,
)
from dagster_project.reporting.document.report_document import Chart, State
from dagster_project.reporting.document.report_periods import Cadence, ReportPeriod
from dagster_project.reporting.kinds import mart_sums
from dagster_project.reporting.kinds.report_source import ReportKind, Said, Source
from privacy.audit.audit_log import AuditEntry, AuditLog
from privacy.release import ReleaseLedger, statement
from privacy.release.release_ledger import Entry
from privacy.retention import receipts as receipt_book
from privacy.retention.receipts import Receipt

_DAY_S = 86_400
_MOST_ENTRIES = 1_000_000
_KNOWN_BY = {"fct_gate_decisions_hourly": "hour_at", "fct_landed_items_hourly": "hour_at"}
_GATE = """
    SELECT treatment, sum(value_count)::BIGINT AS values, count(DISTINCT field) AS fields
    FROM fct_gate_decisions_hourly WHERE hour_at >= $start AND hour_at < $end
    GROUP BY treatment ORDER BY values DESC, treatment"""
_GATE_BY_COMPONENT = """
    SELECT component, sum(value_count)::BIGINT AS values,
        coalesce(sum(value_count) FILTER (WHERE treatment <> 'keep'), 0)::BIGINT AS changed,
        coalesce(sum(value_count) FILTER (WHERE treatment = 'unknown'), 0)::BIGINT AS undecided
    FROM fct_gate_decisions_hourly WHERE hour_at >= $start AND hour_at < $end
    GROUP BY component ORDER BY changed DESC, component"""


def say(source: Source, period: ReportPeriod) -> Said:
    """What was done for privacy in a month; raises NoData, LedgerProblem."""
    mart_sums.check_known(source, period, _KNOWN_BY)
    months = [_Month(source, p) for p in (period, period.previous)]
    state, verdict = _verdict(months[0])
    now = months[0]
    return Said(
        state,
        verdict,
        _figures(*months),
        _charts(source, period),
        (
            _treatments(now.gate),
            _components(source, period),
            _expiry(now.receipts),
            _scans(now.scans, period),
            _releases(now.released),
            _access(now.entries),
        ),
        _METHOD,
    )


class _Month:
    """What copy and state of the home know of one month."""

    def __init__(self, source: Source, period: ReportPeriod) -> None:
        home, keys = source.settings.home, source.keys
        self.gate = source.ask(_GATE, period)
        start_at, end_at = period.start_at, period.end_at
        self.receipts = [
            r for r in receipt_book.read(home, keys) if start_at <= _aware(r.purged_at) < end_at
        ]
        self.scans = [
            s for s in scan_runs.runs(source.settings, keys) if start_at <= s.started_at < end_at
        ]
        ledger = ReleaseLedger(home, keys).checked_entries()
        self.released = [e for e in ledger if period.first <= e.span.last <= period.last]
        spent = statement(ledger, source.settings.release.epsilon_per_28_days, period.last)
        self.epsilon, self.allowed = spent.spent, spent.budget
        with closing(AuditLog(home, keys)) as log:
            self.entries = log.entries(since=start_at, until=end_at, limit=_MOST_ENTRIES)

    @property
    def held_back_pct(self) -> float | None:
        """Values that did not stay as they were sent, of all."""
        whole = sum(r["values"] for r in self.gate)
        kept = sum(r["values"] for r in self.gate if r["treatment"] == "keep")
        return 100.0 * (whole - kept) / whole if whole else None

    @property
    def leaks(self) -> int | None:
        """What scans found, the same leak once for each; None without a scan that can vouch."""
        reports = [s.report for s in self.scans if s.report and s.state in {"clean", "found"}]
        return sum(f.count for r in reports for f in r.findings) if reports else None

    @property
    def left(self) -> int:
        """What a search found after it should have been gone."""
        return sum(r.proof_rows + r.proof_files for r in self.receipts)

    @property
    def refused(self) -> int:
        """What somebody asked for and may not have."""
        return sum(entry.outcome == "refused" for entry in self.entries)


def _verdict(month: _Month) -> tuple[State, str]:
    held = f"{told(rounded(month.held_back_pct, 1), 1)} % of values did not stay as they were sent"
    if month.leaks:
        return "critical", f"Leak scans found {month.leaks:,}: see the scans; {held}."
    if month.left:
        return "critical", f"{month.left:,} were still found after their purge; {held}."
    spent = f"epsilon {month.epsilon:g} of {month.allowed:g} is spent"
    if month.leaks is None:
        return "warning", f"No leak scan ended in this month; {held}; {spent}."
    return "ok", f"No leak was found, and what was past its time is gone; {held}; {spent}."


def _figures(now: _Month, before: _Month) -> tuple[Figure, ...]:
    return (
        figure(
            "Changed or dropped", now.held_back_pct, before.held_back_pct, unit="%", digits=1,
            missing="No value passed the gate.",
        ),
        figure("Expiry receipts", len(now.receipts), len(before.receipts)),
        figure(
            "Leaks found", now.leaks, before.leaks, better="down", missing="No leak scan ended.",
        ),
        figure("Epsilon spent, 28 d", now.epsilon, before.epsilon, digits=2, better="down"),
        figure("Refused requests", now.refused, before.refused, better="down"),
    )  # fmt: skip


def _charts(source: Source, period: ReportPeriod) -> tuple[Chart, ...]:
    points = [
        (day.start_at, row["treatment"], row["values"])
        for day in period.days
        for row in source.ask(_GATE, day)
        if row["treatment"] != "keep"
    ]
    return (Chart("Values held back by day", "bars", "values", _DAY_S, tuple(points)),)


def _treatments(rows: list[dict[str, Any]]) -> Table:
    columns = (Column("Treatment"), Column("Values", 0), Column("Share, %", 1), Column("Fields", 0))
    whole = sum(r["values"] for r in rows)
    cells = [
        (r["treatment"], r["values"], mart_sums.share(r["values"], whole), r["fields"])
        for r in rows
    ]
    return table("What the gate did", columns, cells, empty="No value passed the gate.")


def _components(source: Source, period: ReportPeriod) -> Table:
    columns = (
        Column("Component"), Column("Values", 0), Column("Changed or dropped", 0),
        Column("Of attributes undecided", 0),
    )  # fmt: skip
    cells = [tuple(r.values()) for r in source.ask(_GATE_BY_COMPONENT, period)]
    return table("By component", columns, cells, empty="No value passed the gate.", most=30)


def _expiry(receipts: Iterable[Receipt]) -> Table:
    by_rule: dict[str, list[Receipt]] = {}
    for receipt in receipts:
        by_rule.setdefault(receipt.rule, []).append(receipt)
    columns = (
        Column("Rule"), Column("Receipts", 0), Column("Partitions", 0), Column("Rows", 0),
        Column("Keys destroyed", 0), Column("Found afterwards", 0),
    )  # fmt: skip
    cells = [
        (
            rule, len(every), sum(r.partitions for r in every), sum(r.rows for r in every),
            sum(len(r.keys_destroyed) for r in every),
            sum(r.proof_rows + r.proof_files for r in every),
        )
        for rule, every in sorted(by_rule.items())
    ]  # fmt: skip
    return table("Expiry receipts", columns, cells, empty="Nothing was past its time.", most=40)


def _scans(scans: Iterable[ScanRun], period: ReportPeriod) -> Table:
    columns = (
        Column("Started"), Column("Result"), Column("Findings", 0), Column("Texts", 0),
        Column("Files", 0), Column("Planted leaks seen", 0),
    )  # fmt: skip
    cells = [
        (
            period.local(s.started_at), s.state,
            *((sum(f.count for f in s.report.findings), s.report.texts, s.report.files,
               s.report.planted) if s.report else (None,) * 4),
        )
        for s in scans
    ]  # fmt: skip
    empty = "No scan ran: `./tta.sh monitor privacy scan` runs one."
    return table("Leak scans", columns, cells, empty=empty, most=20)


def _releases(entries: Iterable[Entry]) -> Table:
    by_mart: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        by_mart.setdefault((entry.mart, entry.mechanism), []).append(entry)
    columns = (
        Column("Mart"), Column("Mechanism"), Column("Releases", 0), Column("Epsilon, sum", 3),
    )  # fmt: skip
    cells = [
        (
            mart, mechanism, len(every),
            sum(e.micro_epsilon for e in every if e.micro_epsilon is not None) / 1e6
            if any(e.micro_epsilon is not None for e in every) else None,
        )
        for (mart, mechanism), every in sorted(by_mart.items())
    ]  # fmt: skip
    return table("Releases", columns, cells, empty="No engagement figure was released.")


def _access(entries: Iterable[AuditEntry]) -> Table:
    counted: Counter[str] = Counter()
    outcomes: Counter[tuple[str, str]] = Counter()
    people: dict[str, set[str]] = {}
    for entry in entries:
        counted[entry.action] += 1
        outcomes[entry.action, entry.outcome] += 1
        people.setdefault(entry.action, set()).add(entry.actor)
    columns = (
        Column("Action"), Column("Entries", 0), Column("Refused", 0), Column("Failed", 0),
        Column("Actors", 0),
    )  # fmt: skip
    cells = [
        (action, n, outcomes[action, "refused"], outcomes[action, "failed"], len(people[action]))
        for action, n in sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    ]
    return table("Access and acts", columns, cells, empty="The audit log has no entry.", most=30)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_METHOD = (
    "The gate treats every value before anything is written; values of an item that was sent again count "
    "again. Changed or dropped are all that did not stay as they were sent.",
    "A receipt is one rule's purge; what was found afterwards is looked for on disk and among keys.",
    "A leak scan plants leaks of its own first: one that does not see them cannot vouch and counts as none.",
    "Epsilon is what published engagement figures cost each person at most in the 28 days up to the end of "
    "the month (basic composition); releases by k-anonymity state none.",
    "Access is counted from the audit log: actors are people, services and tokens, never named here.",
    "Hours of the gate are UTC hours of arrival that begin in the period.",
)

KIND = ReportKind(
    "monthly-privacy",
    "Monthly privacy",
    "What the gate held back, what expired, leak scans, releases and access of a month.",
    Cadence.MONTHLY,
    "privacy",
    say,
)
