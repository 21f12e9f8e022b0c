"""Making a report: from a published copy to files, history and deliveries.

Here: which period, opening the copy, the document, keeping it, what is due. Not here: what a kind says
(`kinds`), how it looks (`rendering`), when somebody asks (`dagster_project/defs/reports`, commands, page).
"""

from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import duckdb

from dagster_project.passes.news import has_news
from dagster_project.reporting import delivering, keeping
from dagster_project.reporting.document.report_document import Document, generated
from dagster_project.reporting.document.report_periods import (
    PeriodProblem,
    ReportPeriod,
    latest_over,
    read_period,
)
from dagster_project.reporting.keeping import Entry
from dagster_project.reporting.kinds import UnknownKind, kind_named, kinds
from dagster_project.reporting.kinds.report_source import NoData, ReportKind, Source
from dagster_project.reporting.picture import PictureProblem
from dagster_project.reporting.rendering.all_formats import rendered
from ingestion.lake.duck import NotPublished, open_published
from ingestion.settings import Settings
from privacy.keys.key_store import KeyProblem, KeyStore

EVERY = "*"
SERVICE = "service:reports"
EMPTY = "empty"


class ReportProblem(Exception):
    """A report was not made; the message says what is wrong, why and what to do."""


REFUSALS = (UnknownKind, PeriodProblem, NoData, NotPublished, ReportProblem)
"""Errors that say why a report was not made, in words for people."""
WRONG = (UnknownKind, PeriodProblem)
"""Those of them that are about what was asked."""


@dataclass(frozen=True)
class Due:
    """A report that waits to be made."""

    kind: ReportKind
    period: ReportPeriod


def period_of(settings: Settings, kind: ReportKind, text: str, now: datetime) -> ReportPeriod:
    """The period that is meant, the newest that is over for an empty text; raises PeriodProblem."""
    zone = settings.reports.zone
    if not text:
        return latest_over(kind.cadence, now, zone)
    period = read_period(kind.cadence, text, zone)
    if period.start_at > now:
        latest = latest_over(kind.cadence, now, zone)
        raise PeriodProblem(
            f"{period.label} has not begun: the newest period that is over is {latest.label}."
        )
    return period


def make(settings: Settings, keys: KeyStore, due: Due, *, by: str, now: datetime) -> Entry:
    """Make a report, keep and deliver it; a failure is in the history too.

    `by` is an id of ours. Raises ReportProblem, NoData, NotPublished, KeyProblem.
    """
    entry = _begun(due, by, now)
    try:
        document = document_of(settings, keys, due, now)
        made = replace(
            entry, edition=document.edition, state=document.state, verdict=document.verdict
        )
        is_new = not keeping.is_kept(settings, made)
        if is_new:
            keeping.keep(settings, document, rendered(document), made)
    except (NoData, NotPublished, KeyProblem, ReportProblem, PictureProblem) as problem:
        outcome = EMPTY if isinstance(problem, NoData) else "failed"
        keeping.note(settings, replace(entry, outcome=outcome, reason=str(problem)))
        if isinstance(problem, PictureProblem):
            raise ReportProblem(str(problem)) from None
        raise
    made = replace(made, outcome="made" if is_new else "same")
    keeping.note(settings, made)
    return delivering.deliver(settings, made, document) if is_new else made


def document_of(settings: Settings, keys: KeyStore, due: Due, now: datetime) -> Document:
    """What the report says; raises NoData, NotPublished, ReportProblem."""
    kind, period = due.kind, due.period
    with closing(open_published(settings, kind.audience)) as con:
        try:
            (built_at,) = con.execute("SELECT max(built_at) FROM meta_builds").fetchall()[0]
            said = kind.say(Source(con, settings, keys), period)
        except (duckdb.CatalogException, duckdb.BinderException):
            raise ReportProblem(
                "the published copy is older than this report and lacks what it needs: run "
                "`./tta.sh monitor build`, or wait for the next pass."
            ) from None
    fields = ("state", "verdict", "figures", "charts", "tables", "method")
    document = Document(
        kind=kind.name,
        title=kind.title,
        audience=kind.audience,
        period=period,
        is_over=period.end_at <= now,
        as_of=built_at.replace(tzinfo=UTC),
        generated_at=now,
        **{name: getattr(said, name) for name in fields},
    )
    return generated(document, now)


def latest_of(settings: Settings, kind: ReportKind, now: datetime) -> Due:
    """The report of the newest period that is over."""
    return Due(kind, latest_over(kind.cadence, now, settings.reports.zone))


def enabled(settings: Settings) -> list[ReportKind]:
    """Kinds that are made by themselves; raises UnknownKind for a setting that names none."""
    wanted = settings.reports.kinds
    chosen = [kind_named(name) for name in wanted if name != EVERY]
    return list(kinds().values()) if EVERY in wanted else chosen


def due(settings: Settings, now: datetime) -> list[Due]:
    """The newest periods that are over and have no report yet, of what is made by itself.

    One waits while the marts end before it did and something is on its way to them.
    """
    found = [latest_of(settings, kind, now) for kind in enabled(settings)]
    return [one for one in found if _is_missing(settings, one) and _is_known(settings, one)]


def _is_missing(settings: Settings, one: Due) -> bool:
    """Whether nobody has made it, nor found that there is nothing to say."""
    label = (one.kind.name, one.period.label)
    asked = [e for e in keeping.history(settings) if (e.kind, e.period) == label]
    return not any(e.outcome == EMPTY or keeping.is_kept(settings, e) for e in asked)


def _is_known(settings: Settings, one: Due) -> bool:
    try:
        written = settings.published_path(one.kind.audience).stat().st_mtime
    except OSError:
        return False
    return datetime.fromtimestamp(written, UTC) >= one.period.end_at or has_news(settings) is None


def _begun(due: Due, by: str, now: datetime) -> Entry:
    return Entry(
        kind=due.kind.name,
        period=due.period.label,
        at=now,
        by=by,
        outcome="made",
        audience=due.kind.audience,
        last_day=due.period.last,
    )
