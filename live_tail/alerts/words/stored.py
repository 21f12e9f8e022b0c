"""Records of alerting in their JSON form, and back.

Here: alerts, silences and groups as they are stored (sealed) and sent to pages. Not here: what they consist
of (`records`), the tables (`live_tail/alerts/life`).
"""

import dataclasses
from datetime import datetime, timedelta
from typing import Any

from live_tail.alerts.words.life_records import Alert, Group, Listed, Silence, State
from live_tail.alerts.words.rule_records import Inhibition, Labels, Severity


def to_record(thing: Any) -> dict[str, Any]:
    """The JSON form of an alert, silence or group."""
    return {name: _plain(value) for name, value in vars(thing).items()}


def to_stored(alert: Alert) -> dict[str, Any]:
    """The JSON form of an alert without the fields that have their defaults: half as long.

    Ten thousand alerts may begin in one round: only what JSON does not know is converted.
    """
    stored = {
        name: value
        for name, value in vars(alert).items()
        if value is not (default := _DEFAULTS[name]) and value != default
    }
    for name in _NOT_JSON & stored.keys():
        stored[name] = _plain(stored[name])
    return stored


_TIMES = (
    "started_at", "fired_at", "acknowledged_at", "resolved_at", "ends_at", "level_at", "unmuted_at",
    "edition_at",
)  # fmt: skip
_NOT_JSON = {*_TIMES, "held", "quiet", "recent_fires", "inhibits", "groups", "known"}
_DEFAULTS = {f.name: f.default for f in dataclasses.fields(Alert)}
_SCALARS = frozenset({str, int, float, bool, type(None)})


def _plain(value: Any) -> Any:
    if type(value) in _SCALARS:
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return to_record(value) if dataclasses.is_dataclass(value) else value


def alert_from(record: dict[str, Any]) -> Alert:
    """The alert of a stored record; fields that it lacks keep their defaults."""
    values = {k: v for k, v in record.items() if k in {f.name for f in dataclasses.fields(Alert)}}
    values |= {name: _time(record.get(name)) for name in _TIMES}
    values |= {
        "labels": _pairs(record["labels"]),
        "severity": Severity(record["severity"]),
        "state": State(record["state"]),
        "inhibits": tuple(
            Inhibition(_pairs(i["targets"]), tuple(i["equal"]), bool(i["by_use"]))
            for i in record.get("inhibits", ())
        ),
        "groups": tuple(
            Listed(**{**one, "since": datetime.fromisoformat(one["since"])})
            for one in record.get("groups", ())
        ),
        "known": frozenset(record.get("known", ())),
        "held": timedelta(seconds=record.get("held", 0)),
        "quiet": timedelta(seconds=record.get("quiet", 0)),
        "recent_fires": tuple(datetime.fromisoformat(t) for t in record.get("recent_fires", ())),
    }
    for name in ("runbook", "values", "frames", "history", "muted_by"):
        values[name] = tuple(record.get(name, ()))
    return Alert(**values)


def silence_from(record: dict[str, Any]) -> Silence:
    """The silence of a stored record."""
    times = {name: datetime.fromisoformat(record[name]) for name in ("starts_at", "ends_at")}
    return Silence(**{**record, **times, "matchers": tuple(record["matchers"])})


def group_from(record: dict[str, Any]) -> Group:
    """The group of a stored record."""
    changes = {
        "labels": _pairs(record["labels"]),
        "told": frozenset(record["told"]),
        "flush_at": datetime.fromisoformat(record["flush_at"]),
        "sent_at": _time(record["sent_at"]),
    }
    return Group(**{**record, **changes})


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _pairs(items: list[list[str]]) -> Labels:
    return tuple((k, v) for k, v in items)
