"""What the Reports page reads: which reports there are, what was made of them, one of them whole.

Here: one function per question, each behind the audience of the report. Not here: making (`actions/reports`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dagster_project.reporting import keeping
from dagster_project.reporting.document.report_document import Document
from dagster_project.reporting.document.report_periods import latest_over
from dagster_project.reporting.keeping import Entry
from dagster_project.reporting.kinds import kinds
from dagster_project.reporting.kinds.report_source import ReportKind
from dagster_project.reporting.rendering.json_text import from_json
from privacy.access.access_policy import Right
from streamlit_app.readings import source
from streamlit_app.sign_in import permission

_SCHEDULED = "*"


@dataclass(frozen=True)
class Shown:
    """A kind as the page shows it: whether the viewer may read it, what is newest, what is late.

    `newest` is the newest edition whose files are there; `failed` says why the newest attempt left none;
    `is_late` whether the newest period that is over has no report though one is made by itself.
    """

    kind: ReportKind
    is_allowed: bool
    period: str
    newest: Entry | None = None
    failed: Entry | None = None
    is_late: bool = False


def every_kind() -> list[Shown]:
    """All kinds, the most frequent first."""
    made = keeping.history(source.settings())
    return [_shown(kind, made) for kind in kinds().values()]


def _shown(kind: ReportKind, made: list[Entry]) -> Shown:
    settings = source.settings()
    period = latest_over(kind.cadence, now(), settings.reports.zone).label
    if not permission.may_read(Right.AUDIENCE, kind.audience):
        return Shown(kind, False, period)
    own = [entry for entry in made if entry.kind == kind.name]
    newest = next((e for e in own if keeping.is_kept(settings, e)), None)
    is_scheduled = bool({kind.name, _SCHEDULED} & set(settings.reports.kinds))
    is_there = any(e.period == period and (e.is_there or e.outcome == "empty") for e in own)
    failed = own[0] if own and not own[0].is_there else None
    return Shown(kind, True, period, newest, failed, is_scheduled and not is_there)


def editions() -> list[Entry]:
    """Every edition that the viewer may read, the newest first, each once."""
    found: dict[str, Entry] = {}
    for entry in keeping.history(source.settings()):
        if entry.is_there and permission.may_read(Right.AUDIENCE, entry.audience):
            # The oldest entry of an edition is the one that made it.
            found[entry.edition] = entry
    return sorted(found.values(), key=lambda entry: entry.at, reverse=True)


def document(entry: Entry) -> Document | None:
    """What it says, or None when its files were removed or altered."""
    path = file(entry, "json")
    try:
        return from_json(path.read_bytes()) if path else None
    except (OSError, ValueError):
        return None


def file(entry: Entry, form: str) -> Path | None:
    """Where a format of it lies; None when it was removed."""
    permission.require_of_viewer(Right.AUDIENCE, entry.audience)
    path = keeping.file_of(source.settings(), entry, form)
    return path if path.exists() else None


def now() -> datetime:
    """This moment, UTC."""
    return datetime.now(UTC)
