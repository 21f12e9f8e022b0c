"""Alertmanager's API v2 as `amtool`, Grafana and Prometheus speak it.

Here: alerts in and out, silences, receivers, status. Not here: our own API (`api`), which answers and
refuses for both. Texts from outside pass the gate here. Source: Alertmanager's `openapi.yaml`, v2.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request

from live_tail.alerts.desk.manager import Manager
from live_tail.alerts.desk.outside import Tag, kept_labels
from live_tail.alerts.life.by_hand import RESOLVE_TIMEOUT
from live_tail.alerts.notify.templates import alertmanager_alert
from live_tail.alerts.words.life_records import Alert, Silence
from live_tail.alerts.words.matchers import parse
from live_tail.alerts.words.rule_records import labels_of
from privacy.gate.treatments import scrub

_MAX_NAME = 128
_MAX_ALERTS = 5_000
# Alertmanager's default: so long an ended silence is still shown.
_KEPT = timedelta(hours=120)
_OPERATORS = {(False, True): "=", (False, False): "!=", (True, True): "=~", (True, False): "!~"}


class V2:
    """Handlers over a manager; each returns what is answered as JSON and raises what `api` tells."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager

    def alerts(self, request: Request) -> Any:
        """`GET /alerts`: active ones that meet `filter`, without the states that are switched off."""
        ask = request.query_params
        wanted = {name: ask.get(name, "true") != "false" for name in _STATES}
        receiver = _pattern(ask.get("receiver", ".*"))
        found = []
        for alert in self._manager.board.alerts(ask.getlist("filter")):
            if not alert.is_active or not wanted[_state(alert)]:
                continue
            names = self._manager.board.receivers_of(alert)
            if any(receiver.fullmatch(name) for name in names):
                found.append(_alert(alert, names, self._manager.app_url))
        return found

    def receive(self, _: Request, body: Any) -> Any:
        """`POST /alerts`; raises ValueError for a body that is no list, or too long a one."""
        if not isinstance(body, list) or len(body) > _MAX_ALERTS:
            raise ValueError(f"the body must be a list of at most {_MAX_ALERTS} alerts")
        read = [_external(entry, self._manager.tag) for entry in body]
        for alert in read:
            self._manager.receive(alert.pop("labels"), **alert)
        return {}

    def silences(self, request: Request) -> Any:
        """`GET /silences`: those that have every matcher of `filter`, ended ones for five days."""
        asked = {_canonical(text) for text in request.query_params.getlist("filter")}
        return [
            _silence(s)
            for s in self._manager.silences(ended_within=_KEPT)
            if asked <= {_canonical(text) for text in s.matchers}
        ]

    def silence(self, request: Request) -> Any:
        """`GET /silence/{id}`."""
        return _silence(self._found(request.path_params["id"], ended_within=_KEPT))

    def put_silence(self, request: Request, body: Any) -> Any:
        """`POST /silences`: a new one, or in place of the one with the given id.

        Raises ValueError for what is no silence.
        """
        if not isinstance(body, dict) or not isinstance(body.get("matchers"), list):
            raise ValueError("a silence needs matchers, a list of objects")
        matchers = [_matcher(one) for one in body["matchers"]]
        ends_at, starts_at = _moment(body.get("endsAt")), _moment(body.get("startsAt"))
        if ends_at is None:
            raise ValueError("a silence needs endsAt, an RFC 3339 time")
        texts = {name: body.get(name) or "" for name in ("createdBy", "comment", "id")}
        if not all(isinstance(text, str) for text in texts.values()):
            raise ValueError("createdBy, comment and id must be texts")
        before = self._found(texts["id"]) if texts["id"] else None
        made = self._manager.silence(
            matchers,
            ends_at,
            getattr(request.state, "who", "") or texts["createdBy"] or "operator",
            texts["comment"],
            starts_at,
        )
        if before is not None:
            self._manager.unsilence(before.id)
        return {"silenceID": made.id}

    def end_silence(self, request: Request) -> Any:
        """`DELETE /silence/{id}`."""
        self._manager.unsilence(request.path_params["id"])
        return {}

    def receivers(self, _: Request) -> Any:
        """`GET /receivers`."""
        return [{"name": r.name} for r in self._manager.routing.policy.receivers]

    def status(self, _: Request) -> Any:
        """`GET /status`: one instance, which is ready."""
        return {
            "cluster": {"status": "disabled", "peers": []},
            "config": {"original": ""},
            "versionInfo": {"version": "tta-monitor", "revision": "", "branch": "",
                            "buildUser": "", "buildDate": "", "goVersion": ""},
            "uptime": _time(self._manager.began_at),
        }  # fmt: skip

    def _found(self, name: str, *, ended_within: timedelta = timedelta(0)) -> Silence:
        known = self._manager.silences(ended_within=ended_within)
        found = next((s for s in known if s.id == name), None)
        if found is None:
            raise KeyError(name)
        return found


_STATES = ("active", "silenced", "inhibited")


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error:
        raise ValueError("receiver must be a regular expression") from None


def _state(alert: Alert) -> str:
    kinds = {mute.partition(":")[0] for mute in alert.muted_by}
    if "silence" in kinds or "maintenance" in kinds:
        return "silenced"
    return "inhibited" if kinds else "active"


def _alert(alert: Alert, receivers: list[str], app_url: str) -> dict[str, Any]:
    mutes = [mute.partition(":")[::2] for mute in alert.muted_by]
    known = alertmanager_alert(alert, app_url)
    return {
        **known,
        # What fires ends, for whoever asks, a while after it was last heard of.
        "endsAt": _time(alert.ends_at or datetime.now(UTC) + RESOLVE_TIMEOUT),
        "updatedAt": known["startsAt"],
        "receivers": [{"name": name} for name in receivers],
        "status": {
            "state": "suppressed" if mutes else "active",
            "silencedBy": [name for kind, name in mutes if kind in {"silence", "maintenance"}],
            "inhibitedBy": [name for kind, name in mutes if kind in {"inhibited", "recovering"}],
            "mutedBy": [],
        },
    }


def _silence(silence: Silence) -> dict[str, Any]:
    now = datetime.now(UTC)
    state = (
        "expired" if silence.ends_at <= now else "pending" if silence.starts_at > now else "active"
    )
    return {
        "id": silence.id,
        "matchers": [_parts(text) for text in silence.matchers],
        "startsAt": _time(silence.starts_at),
        "endsAt": _time(silence.ends_at),
        "updatedAt": _time(silence.starts_at),
        "createdBy": silence.created_by,
        "comment": silence.comment,
        "status": {"state": state},
    }


def _parts(text: str) -> dict[str, Any]:
    name, operator, pattern = parse(text)
    is_regex = "~" in operator
    value = pattern.pattern if is_regex else re.sub(r"\\(.)", r"\1", pattern.pattern)
    return {
        "name": name,
        "value": value,
        "isRegex": is_regex,
        "isEqual": not operator.startswith("!"),
    }


def _canonical(text: str) -> tuple[str, str, str]:
    name, operator, pattern = parse(text)
    return name, operator, pattern.pattern


def _matcher(given: Any) -> str:
    if not isinstance(given, dict) or not isinstance(given.get("name"), str):
        raise ValueError("every matcher needs name, value and isRegex")
    if not isinstance(given.get("value"), str) or not _is_label_name(given["name"]):
        raise ValueError("every matcher needs name, value and isRegex")
    operator = _OPERATORS[bool(given.get("isRegex")), given.get("isEqual", True) is not False]
    return f"{_quoted(given['name'])}{operator}{_quoted(given['value'])}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _is_label_name(name: Any) -> bool:
    """Any UTF-8, as Alertmanager takes since 0.27."""
    return isinstance(name, str) and 0 < len(name) <= _MAX_NAME and name.isprintable()


def _external(entry: Any, tag: Tag) -> dict[str, Any]:
    """One alert of `POST /api/v2/alerts`, gated; raises ValueError."""
    if not isinstance(entry, dict) or not isinstance(entry.get("labels"), dict):
        raise ValueError("every alert needs labels, an object of texts")
    labels: dict[str, Any] = entry["labels"]
    if not all(_is_label_name(n) and isinstance(v, str) for n, v in labels.items()):
        raise ValueError("every label needs a name and a text")
    if not labels.get("alertname"):
        raise ValueError("every alert needs the label alertname")
    notes = entry.get("annotations") or {}
    notes = {n: v for n, v in notes.items() if isinstance(v, str)}
    return {
        "labels": labels_of(kept_labels(labels, tag)),
        "starts_at": _moment(entry.get("startsAt")) or datetime.now(UTC),
        "ends_at": _moment(entry.get("endsAt")),
        "summary": scrub(notes.get("summary", "") or notes.get("message", "")),
        "effect": scrub(notes.get("description", "")),
    }


def _moment(text: Any) -> datetime | None:
    if not text or str(text).startswith("0001-"):
        return None
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise ValueError("startsAt and endsAt must be RFC 3339 times") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
