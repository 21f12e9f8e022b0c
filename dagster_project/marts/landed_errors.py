"""What a pass sees of errors: occurrences to be grouped, the hours they change, states of groups.

Here: the tables `landed.error_*`. Not here: grouping (`ingestion/meaning/errors`), everything else that a
pass sees (`landed`).
"""

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa

from dagster_project.marts.changes import HOUR, Changes, Opened, all_hours
from ingestion.lake.catalog import LakeFile
from ingestion.meaning.errors.batch import error_rows, hours_to_count
from ingestion.meaning.errors.group_store import ErrorStore
from ingestion.meaning.errors.grouping import load_site


def open_errors(opened: Opened, changes: Changes, now: datetime) -> None:
    """Tables `landed.error_occurrences`, `error_hours`, `error_parts` and `error_states`.

    A rule by hand or a version that the marts were not built with reopens every hour.
    """
    settings, catalog = opened.settings, opened.catalog
    store = ErrorStore(settings.home, opened.keys)
    version, rules = settings.errors.grouping_version, store.hand_rules()
    if store.rules_to_build(version) != store.built_rules():
        changes = Changes(tuple(all_hours(catalog)), changes.horizon)
    whole = hours_to_count(changes.whole("spans"), changes.whole("logs"))
    parts, hours = _error_files(opened, changes, whole)
    site = load_site(settings.home / "errors.yaml")
    records = store.groups()
    opened.rows(
        "error_occurrences", error_rows(opened.con, site=site, rules=rules, version=version)
    )
    opened.rows("error_parts", {"part": pa.array(sorted(parts), pa.int64())})
    opened.rows(
        "error_hours",
        {
            "hour_at": pa.array(sorted(hours | set(whole)), pa.timestamp("us")),
            "is_whole": pa.array([h in whole for h in sorted(hours | set(whole))], pa.bool_()),
        },
    )
    opened.rows(
        "error_states",
        {
            "group_key": pa.array([r.key for r in records], pa.string()),
            "state": pa.array([r.state(now).value for r in records], pa.string()),
            "resolved_in": pa.array([r.resolved_in for r in records], pa.string()),
        },
    )


def _error_files(
    opened: Opened, changes: Changes, whole: Sequence[datetime]
) -> tuple[set[int], set[datetime]]:
    """Views `landed.error_spans` and `error_logs`; the parts counted, and the hours that may change.

    A span's exception may be told again by a log record of the hour after.
    """
    parts: set[int] = set()
    hours: set[datetime] = set()
    for signal in ("spans", "logs"):
        files: dict[int | None, list[LakeFile]] = {}
        for part, some in changes.files(opened.catalog, signal).items():
            new = [f for f in some if part and f.hour_at not in whole]
            if new:
                files[part] = new
                parts.add(part)
                hours |= {f.hour_at for f in new}
                hours |= {f.hour_at + HOUR for f in new if signal == "spans"}
        before = [] if signal == "logs" else [h - HOUR for h in whole if h - HOUR not in whole]
        for part, wanted in ((0, whole), (None, before)):
            found = opened.catalog.files(signal, list(wanted))
            if found:
                files.setdefault(part, []).extend(found)
        opened.view(f"error_{signal}", signal, files)
    return parts, hours
