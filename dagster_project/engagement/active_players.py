"""Engagement figures of the telemetry that exists: which are released, and from which rows.

Here: the specs, the rows of a day, releasing the days that are due, and the tables for the engagement copy.
Not here: the mechanism (`privacy/release`), this site's budget (`releases`), orchestration (`defs/releases`).

A player is counted where telemetry names one (`tta.player.id`, `workflow.player_id`), by the pseudonym of
the day of arrival: it is the same for a person on that day and on no other, so a day is one of arrival, in
UTC. Rows that arrive more than a week late count nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa

from dagster_project.engagement.site_gate import release_gate
from ingestion.lake.catalog import Catalog, LakeFile
from ingestion.lake.duck import add_file_keys, connect
from ingestion.lake.partitions import scan
from ingestion.settings import Settings
from privacy.audit.audit_log import AuditLog
from privacy.keys.key_store import KeyStore
from privacy.keys.pseudonyms import Pseudonyms
from privacy.release import (
    Dimension,
    Histogram,
    Period,
    PeriodKind,
    ReleaseLedger,
    ReleaseRefused,
)

ACTIVE_PLAYERS = Histogram(
    mart="daily_active_players",
    period=PeriodKind.DAY,
    dimensions=(Dimension.of_edges("active_hours", (1, 2, 3, 5, 9, 25), None),),
    epsilon=0.1,
)
"""Players by the number of hours of the day in which anything of them arrived; the margin is all of them."""

SPECS = (ACTIVE_PLAYERS,)
_PLAYER = ("tta.player.id", "player.id", "player_id", "workflow.player_id")
_NOBODY = ("unknown", "none", "null", "anonymous", "")
_SIGNALS = ("spans", "logs")
_LATEST = timedelta(days=7)
_CAUGHT_UP_DAYS = 6
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Outcome:
    """What became of one mart and day; `refused` names why, empty when it is published."""

    mart: str
    period: str
    refused: str = ""


def release_due(settings: Settings, keys: KeyStore, now: datetime) -> list[Outcome]:
    """Release every day that is over and has not been released, of the last six.

    `now` is UTC without zone. A refused day is asked for again once a day. Callers hold the writer's lock, so
    that every row that arrived on the day is in the lake.
    """
    done: list[Outcome] = []
    with release_gate(settings, keys, now=now.replace(tzinfo=UTC)) as gate:
        for back in range(_CAUGHT_UP_DAYS, 0, -1):
            period = Period.containing(PeriodKind.DAY, now.date() - back * _DAY)
            for spec in SPECS:
                if gate.ledger.find(spec.mart, period) or _was_refused(
                    settings, keys, f"{spec.mart}/{period.label}", now
                ):
                    continue
                rows = players_of(settings, keys, period.first)
                if rows is None:
                    continue
                try:
                    gate.release(rows, spec, period, actor="service:release")
                except ReleaseRefused as refusal:
                    done.append(Outcome(spec.mart, period.label, refusal.reason))
                else:
                    done.append(Outcome(spec.mart, period.label))
    return done


def players_of(settings: Settings, keys: KeyStore, day: date) -> pa.Table | None:
    """`subject active_hours` of a day of arrival; None when nothing at all arrived on it."""
    start = datetime.combine(day, datetime.min.time())
    if not _arrived(settings, start):
        return None
    con = connect(memory_limit=settings.warehouse.memory_limit)
    try:
        parts = [
            f"SELECT attributes, received_at FROM ({scan(settings, files)})"
            for signal in _SIGNALS
            if (files := _files(settings, keys, signal, start))
        ]
        if not parts:
            return None
        for signal in _SIGNALS:
            add_file_keys(con, keys, _files(settings, keys, signal, start))
        con.execute(
            f"CREATE TEMP VIEW arrived AS SELECT * FROM ({' UNION ALL '.join(parts)})"
            f" WHERE received_at >= TIMESTAMP '{start}' AND received_at < TIMESTAMP '{start + _DAY}'"
        )
        if con.execute("SELECT count(*) FROM arrived").fetchall() == [(0,)]:
            return None
        player = ", ".join(f"nullif(attributes['{name}'], '')" for name in _PLAYER)
        return con.execute(
            f"SELECT coalesce({player}) AS subject,"
            " cast(count(DISTINCT date_trunc('hour', received_at)) AS DOUBLE) AS active_hours"
            " FROM arrived WHERE starts_with(subject, 'p_') AND NOT list_contains(?::VARCHAR[], subject)"
            " GROUP BY 1",
            [_nobody(keys, day)],
        ).to_arrow_table()
    finally:
        con.close()


def released_tables(settings: Settings, keys: KeyStore) -> dict[str, tuple[pa.Table, str]]:
    """(lines, what they promise) of every released mart, by name; without lines before the first."""
    ledger = ReleaseLedger(settings.home, keys)
    found = {}
    for spec in SPECS:
        released = ledger.released(spec.mart)
        limits = released[-1].result.limits if released else "Nothing was released yet."
        lines = [r.counts.replace_schema_metadata(None) for r in released]
        found[spec.mart] = (pa.concat_tables(lines) if lines else _empty(spec), limits)
    return found


def _files(settings: Settings, keys: KeyStore, signal: str, start: datetime) -> list[LakeFile]:
    """Files that may hold rows which arrived on the day, by the hour of the event."""
    catalog = Catalog(settings.lake_path)
    files = catalog.files(signal)
    catalog.close()
    return [
        f
        for f in files
        if start - _LATEST <= f.hour_at < start + 2 * _DAY and keys.has_id(f.key_id)
    ]


def _arrived(settings: Settings, start: datetime) -> bool:
    """Whether the ledger of arrivals has a file of the day: no row is read for days without any."""
    catalog = Catalog(settings.lake_path)
    try:
        return bool(catalog.files("ledger", [start + timedelta(hours=n) for n in range(24)]))
    finally:
        catalog.close()


def _nobody(keys: KeyStore, day: date) -> list[str]:
    """What senders write when they know no player, as the gate has written it; while the day's key lives."""
    names = Pseudonyms(keys, "operations")
    return [names.of(word, day) for word in _NOBODY] if keys.has_key(names.dataset, day) else []


def _was_refused(settings: Settings, keys: KeyStore, target: str, now: datetime) -> bool:
    """Whether this was refused today: the log needs no entry every five minutes."""
    log = AuditLog(settings.home, keys)
    try:
        since = datetime.combine(now.date(), datetime.min.time()).replace(tzinfo=UTC)
        found: Sequence[object] = log.entries(
            action="release.publish", target=target, outcome="refused", since=since, limit=1
        )
        return bool(found)
    finally:
        log.close()


def _empty(spec: Histogram) -> pa.Table:
    texts = ("mart", "period", "level", *spec.names)
    numbers = ("count", "low", "high")
    columns = [(name, pa.string()) for name in texts] + [(name, pa.int64()) for name in numbers]
    return pa.schema(
        [*columns, ("reason", pa.string()), ("suppressed_cells", pa.int64())]
    ).empty_table()
