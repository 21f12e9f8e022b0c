"""How far a new home is: who was heard, whether a request came, who is told of alerts.

Here: one question. Not here: what somebody does next (`components/overview/first_run`).
"""

from dataclasses import dataclass

from streamlit_app.readings import source

_OURS = "tta-monitor"
_HERE = frozenset({"console", "desktop"})
"""Channels that every home has; they reach whoever sits at the machine, and nobody else."""


@dataclass(frozen=True)
class Beginnings:
    """What there is: components that are not ours, a request of one, channels that reach somebody elsewhere.

    `is_known` is False when neither the live window nor a published copy could be asked: then nobody can say
    that a home is empty.
    """

    components: tuple[str, ...] = ()
    has_request: bool = False
    channels: tuple[str, ...] = ()
    is_known: bool = True

    @property
    def is_empty(self) -> bool:
        """Whether the home has nothing to show yet."""
        return self.is_known and not (self.components and self.has_request)


def beginnings() -> Beginnings:
    """How far this home is, by the live window first, then by what was published."""
    hot = source.live("components")
    names = _foreign(hot.frame["component"].tolist()) if len(hot.frame) else ()
    rates = hot.frame["requests_by_minute"] if len(hot.frame) else ()
    if names and any(isinstance(rate, list) and sum(rate) for rate in rates):
        return Beginnings(names, has_request=True, channels=_channels())
    cold = source.marts(
        "SELECT component, EXISTS (FROM fct_requests_minutely) AS has_request FROM dim_components"
    )
    known = _foreign(cold.frame["component"].tolist()) if len(cold.frame) else ()
    has_request = bool(len(cold.frame)) and bool(cold.frame["has_request"].any())
    return Beginnings(
        tuple(dict.fromkeys([*names, *known])), has_request, _channels(), is_known=not hot.problem
    )


def _foreign(components: list[str]) -> tuple[str, ...]:
    return tuple(name for name in components if not name.startswith(_OURS))


def _channels() -> tuple[str, ...]:
    answer = source.alerts() or {"channels": []}
    return tuple(one["name"] for one in answer["channels"] if one["type"] not in _HERE)
