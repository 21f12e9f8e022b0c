"""Reports of a home as files, and their history.

Here: `reports/YYYY/MM/DD/NAME-EDITION.{pdf,csv,json,html}` (the last day of the period) written aside and
renamed, 0600; `reports/history.json`, the newest first. Not here: what a report says, who may have it. An
edition that is there stays as it is: the same content keeps the moment at which it was first made.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from dagster_project.reporting.document.report_document import Document
from dagster_project.reporting.rendering.all_formats import FORMS
from ingestion.settings import Settings
from privacy.disk.files import write_whole
from privacy.disk.locks import locked

_KEPT = 2_000
_DAYS = "%Y/%m/%d"


@dataclass(frozen=True)
class Entry:
    """One making of a report. `outcome` is made, same (an edition that was there), empty or failed.

    `by` is an id of ours. `reason` says in words why there is none; `delivered` how each delivery went.
    """

    kind: str
    period: str
    at: datetime
    by: str
    outcome: str
    audience: str
    last_day: date
    edition: str = ""
    state: str = ""
    verdict: str = ""
    reason: str = ""
    delivered: tuple[str, ...] = field(default_factory=tuple)

    @property
    def is_there(self) -> bool:
        """Whether it left files."""
        return bool(self.edition)


def file_of(settings: Settings, entry: Entry, form: str) -> Path:
    """Where a format of it lies."""
    name = f"{entry.kind}-{entry.edition}.{form}"
    return settings.reports_path / entry.last_day.strftime(_DAYS) / name


def keep(
    settings: Settings, document: Document, content: Mapping[str, bytes], entry: Entry
) -> bool:
    """Write the files of an edition; False, and nothing written, when all of it is there."""
    files = {form: file_of(settings, entry, form) for form in FORMS}
    if all(file.exists() for file in files.values()):
        return False
    for form, file in files.items():
        write_whole(file, content[form])
    return True


def is_kept(settings: Settings, entry: Entry) -> bool:
    """Whether every format of the edition is there."""
    return entry.is_there and all(file_of(settings, entry, form).exists() for form in FORMS)


def note(settings: Settings, entry: Entry) -> None:
    """Add an entry to the history; of one that failed again for the same reason only the newest stays."""
    with locked(settings.home / "reports.lock"):
        every = [e for e in history(settings) if not _is_repeated(e, entry)]
        _write(settings, [entry, *every][:_KEPT])


def note_delivery(settings: Settings, entry: Entry, delivered: tuple[str, ...]) -> Entry:
    """Say of an entry how its deliveries went."""
    told = replace(entry, delivered=delivered)
    with locked(settings.home / "reports.lock"):
        _write(settings, [told if e == entry else e for e in history(settings)])
    return told


def history(settings: Settings) -> list[Entry]:
    """Every making that is remembered, the newest first; a file that cannot be read remembers none."""
    try:
        found = json.loads((settings.reports_path / "history.json").read_bytes())
        return [_entry(record) for record in found]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def made_of(settings: Settings, kind: str, period: str) -> Entry | None:
    """The newest edition of a period, or None."""
    found = (e for e in history(settings) if (e.kind, e.period) == (kind, period))
    return next((e for e in found if is_kept(settings, e)), None)


def _is_repeated(before: Entry, now: Entry) -> bool:
    same = ("kind", "period", "outcome", "edition", "reason")
    return now.outcome != "made" and all(getattr(before, n) == getattr(now, n) for n in same)


def _write(settings: Settings, every: list[Entry]) -> None:
    records = [
        asdict(e) | {"at": e.at.isoformat(), "last_day": e.last_day.isoformat()} for e in every
    ]
    content = json.dumps(records, indent=1, ensure_ascii=False).encode()
    write_whole(settings.reports_path / "history.json", content)


def _entry(record: dict[str, Any]) -> Entry:
    return Entry(
        **{
            **record,
            "at": datetime.fromisoformat(record["at"]),
            "last_day": date.fromisoformat(record["last_day"]),
            "delivered": tuple(record["delivered"]),
        }
    )
