"""What a rule measured over time: the curve of one alert, with the threshold it crossed.

Here: a rule's own expression at past times, or what failed where a rule only knows up and down. Not here:
judging (`evaluate`), units (`curve_units`), drawing. A curve reaches as far back as the hot window.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from live_tail.alerts.reading.hot_tables import asked
from live_tail.alerts.reading.matching import Vector
from live_tail.alerts.reading.rule_sources import Sources
from live_tail.alerts.reading.selecting import Select
from live_tail.alerts.rules.curve_sampling import Sampled, sampling
from live_tail.alerts.rules.curve_units import span_words
from live_tail.alerts.rules.rule_spec import Threshold
from live_tail.alerts.words.life_records import Alert
from live_tail.alerts.words.rule_records import Labels, Rule, labels_of
from privacy.process_log.log import logger

_LEAD, _TAIL = timedelta(minutes=10), timedelta(minutes=5)
_MOST_POINTS = 40
_STEPS_S = (5, 10, 15, 30, 60, 120, 300)
_SETTLED = timedelta(seconds=20)
"""What happened longer ago than this has arrived: it is asked once."""
_REMEMBERED = 5_000
_log = logger()

_CALLS = """
SELECT bucket_at, sum(bad) FROM (
    SELECT bucket_at, bad FROM hot_dependency_calls WHERE dependency = $name
    UNION ALL
    SELECT event_at, 1 FROM hot_probes WHERE dependency = $name AND NOT is_up
) WHERE bucket_at > $start AND bucket_at <= $until GROUP BY 1
"""
_PROBES = """
SELECT event_at, count(*) FROM hot_probes
WHERE target = $name AND NOT is_up AND event_at > $start AND event_at <= $until GROUP BY 1
"""
_HEARD = """
SELECT bucket_at, sum(items) FROM hot_sightings
WHERE component = $name AND bucket_at > $start AND bucket_at <= $until GROUP BY 1
"""
_GROUPS = """
SELECT event_at, count(*) FROM hot_error_groups
WHERE group_key IN (SELECT unnest($name)) AND event_at > $start AND event_at <= $until GROUP BY 1
"""
# What a rule that only knows up and down is drawn as: question, tables, unit, label that it is about.
_UP_OR_DOWN: Mapping[str, tuple[str, tuple[str, ...], str, str]] = {
    "dependency_down": (
        _CALLS, ("hot_dependency_calls", "hot_probes"), "failed calls and probes", "dependency",
    ),
    "service_down": (_PROBES, ("hot_probes",), "failed probes", "component"),
    "not_ready": (_PROBES, ("hot_probes",), "failed probes", "component"),
    "silent": (_HEARD, ("hot_sightings",), "items received", "component"),
}  # fmt: skip


@dataclass(frozen=True)
class Curve:
    """Points (UTC, value or None where nothing was measured) every `step_s`, in `unit`.

    `what` says in words what was measured. The alert holds where the value is `symbol` `threshold`;
    without a threshold there is none that the curve could cross.
    """

    what: str
    unit: str
    step_s: int
    points: tuple[tuple[datetime, float | None], ...]
    symbol: str = ""
    threshold: float | None = None

    def told(self) -> dict[str, Any]:
        """Its JSON form."""
        points = [[at.isoformat(), value] for at, value in self.points]
        return {**self.__dict__, "points": points}


class Curves:
    """Curves of alerts over one window; `reach` is how far back that goes. For any thread."""

    def __init__(
        self, sources: Sources, rules: Callable[[], Sequence[Rule]], reach: timedelta
    ) -> None:
        self._sources, self._rules, self._reach = sources, rules, reach
        self._known: dict[tuple[int, datetime], Vector] = {}

    def of(self, alert: Alert, now: datetime) -> Curve | None:
        """The curve of an alert around its start; None when nothing is known to draw it from."""
        rule = next((r for r in self._rules() if r.name == alert.rule), None)
        begins, ends = _span(alert, now, self._reach)
        if rule is None or begins >= ends:
            return None
        step = _step(ends - begins)
        times = _times(begins, ends, step)
        found = self._counted(rule, alert, times, step) or self._sampled(rule, alert, times, now)
        return found if found and any(value is not None for _, value in found.points) else None

    def _counted(
        self, rule: Rule, alert: Alert, times: Sequence[datetime], step: timedelta
    ) -> Curve | None:
        """What came in each step: of error groups, or of what is up or down."""
        if rule.kind == "error_group":
            keys = [one.key for one in alert.groups] or list(alert.known)
            unit = "errors of these groups" if len(keys) > 1 else "errors of this group"
            return self._counts((_GROUPS, ("hot_error_groups",), unit), keys, times, step)
        when = rule.spec.get("when")
        value = when.value if isinstance(when, Threshold) else None
        if not isinstance(value, Select) or value.fact not in _UP_OR_DOWN:
            return None
        sql, tables, unit, label = _UP_OR_DOWN[value.fact]
        name = dict(alert.labels).get(label, "")
        return self._counts((sql, tables, unit), name, times, step)

    def _counts(
        self,
        question: tuple[str, tuple[str, ...], str],
        name: str | list[str],
        times: Sequence[datetime],
        step: timedelta,
    ) -> Curve:
        sql, tables, unit = question
        bound = {"name": name, "start": _naive(times[0] - step), "until": _naive(times[-1])}
        counts = dict.fromkeys(times, 0.0)
        for at, n in asked(self._sources.window, tables, sql, bound):
            # The step that ends at or after it.
            place = -((_naive(times[0]) - at) // step)
            if 0 <= place < len(times):
                counts[times[place]] += float(n)
        what = f"{unit} in {span_words(step)}"
        return Curve(what, unit, int(step.total_seconds()), tuple(counts.items()))

    def _sampled(
        self, rule: Rule, alert: Alert, times: Sequence[datetime], now: datetime
    ) -> Curve | None:
        """The rule's own value at each time."""
        asking = sampling(rule, self._sources)
        if asking is None:
            return None
        added = {name for name, _ in rule.labels}
        labels = labels_of({k: v for k, v in alert.labels if k not in added})
        scale, points = asking.scale, []
        for at in times:
            value = _value(self._vector(rule, asking, at, now), labels, is_count=scale.is_count)
            points.append((at, None if value is None else scale.factor * value))
        step_s = int((times[-1] - times[0]).total_seconds() / max(len(times) - 1, 1))
        threshold = None if asking.threshold is None else scale.factor * asking.threshold
        return Curve(scale.what, scale.unit, step_s, tuple(points), asking.symbol, threshold)

    def _vector(self, rule: Rule, asking: Sampled, at: datetime, now: datetime) -> Vector:
        """The values at a time; of what is over they are asked once for all alerts of a rule."""
        key = (id(rule), at)
        if key in self._known:
            return self._known[key]
        try:
            found = asking.at(_naive(at))
        except Exception as error:  # noqa: BLE001 - as in a round: what cannot be read is not measured
            _log.error("a moment of an alert's curve cannot be read", cause=type(error).__name__)
            return {}
        if now - at > _SETTLED:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = found
        return found


def _value(vector: Vector, labels: Labels, *, is_count: bool) -> float | None:
    return vector.get(labels, vector.get((), 0.0 if is_count else None))


def _span(alert: Alert, now: datetime, reach: timedelta) -> tuple[datetime, datetime]:
    """From a while before it began to a while after it ended, as far as the window reaches."""
    begins = max(alert.started_at - _LEAD, now - reach)
    is_over = alert.resolved_at is not None and not alert.is_active
    ends = min(now, alert.resolved_at + _TAIL) if is_over and alert.resolved_at else now
    return begins, ends


def _step(length: timedelta) -> timedelta:
    wanted = length.total_seconds() / _MOST_POINTS
    return timedelta(seconds=next((s for s in _STEPS_S if s >= wanted), _STEPS_S[-1]))


def _times(begins: datetime, ends: datetime, step: timedelta) -> list[datetime]:
    """Multiples of the step, so that a curve that is asked again has the same times."""
    step_s = int(step.total_seconds())
    first = -(-int(begins.timestamp()) // step_s) * step_s
    last = int(ends.timestamp())
    return [datetime.fromtimestamp(s, UTC) for s in range(first, last + 1, step_s)] or [ends]


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
