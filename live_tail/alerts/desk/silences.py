"""Silences as people make and end them.

Here: what a silence may say, and the ones that are kept. Not here: what a silence mutes
(`live_tail/alerts/notify/mute`), whose turn it is (`manager`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from live_tail.alerts.desk.outside import matcher_may_stay
from live_tail.alerts.life.alert_store import Store
from live_tail.alerts.life.by_hand import Unknown
from live_tail.alerts.words.life_records import Alert, Silence
from live_tail.alerts.words.matchers import takes_everything
from privacy.gate.treatments import scrub
from privacy.gate.treatments import service as kept_name
from privacy.keys.ids import new_id


class Silences:
    """The silences of a home; whoever asks takes turns."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.all: Sequence[Silence] = store.silences()

    def add(
        self,
        matchers: Sequence[str],
        ends_at: datetime,
        by: str,
        comment: str,
        *,
        starts_at: datetime,
        known: Iterable[Alert],
    ) -> Silence:
        """Keep a new one; a matcher may hold what a label of the `known` alerts does.

        Raises BadMatcher, or ValueError for wrong times and for what mutes nearly everything.
        """
        check(matchers, known)
        if ends_at <= starts_at:
            raise ValueError("a silence needs an end in the future")
        by, comment = kept_name(by), scrub(comment)
        return self._keep(Silence(new_id(6), tuple(matchers), starts_at, ends_at, by, comment))

    def end(self, silence_id: str, now: datetime) -> Silence:
        """End one; raises Unknown when none of this id is in force or still to come."""
        for silence in self.all:
            if silence.id == silence_id and silence.ends_at > now:
                return self._keep(replace(silence, ends_at=now))
        raise Unknown(
            f"no silence that is in force has the id {kept_name(silence_id)[:40]!r}: the Alerts "
            "page lists them, and `alerts silence` prints the id of a new one."
        )

    def ended_after(self, now: datetime, *, within: timedelta) -> list[Silence]:
        """Those that have not ended, or did so within this time."""
        return [s for s in self.all if s.ends_at > now - within]

    def _keep(self, silence: Silence) -> Silence:
        self._store.put_silence(silence)
        self.all = self._store.silences()
        return silence


def check(matchers: Sequence[str], known: Iterable[Alert]) -> None:
    """Raises BadMatcher, or ValueError for matchers that no silence may have."""
    if not matchers or takes_everything(matchers):
        raise ValueError(
            "a silence needs at least one matcher that does not match the empty text:"
            " it would mute nearly everything"
        )
    labels = [alert.all_labels() for alert in known]

    def is_known(name: str, value: str) -> bool:
        return any(one.get(name) == value for one in labels)

    if not all(matcher_may_stay(text, is_known) for text in matchers):
        raise ValueError("a matcher holds what no label can hold after the privacy gate")
