"""What arrives as history: facts that are told long after they happened, and the rest of such a delivery.

Here: which rows those are. A row is history when it was received more than five minutes after it
happened, or when it tells of a time before its sender's last late delivery, as the end of a replay or
of a backlog does. History is shown, counted and kept like everything else; what judges the present
(evidence, the short window of a burn rate, values of metrics) leaves it out, so that nothing is raised
for what was over before anybody could hear of it. Not here: leaving it out (`window`, `points`,
`minutes`).

Senders whose clocks are off by less than that are believed, as everywhere in the live tail.
"""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

LATE_US = 5 * 60 * 1_000_000
# For so long after a late row a sender is taken to be catching up.
_CATCHING_UP_US = 60 * 1_000_000
EVENT_TIME = {"spans": "start_at", "logs": "event_at", "metric_points": "event_at"}
Sender = tuple[str | None, str | None]


class Deliveries:
    """Remembers which senders (component and instance) are catching up; one per reader of a spool."""

    def __init__(self) -> None:
        self._late: dict[Sender, int] = {}

    def marked(self, signal: str, rows: pa.Table) -> pa.Table:
        """The landed rows with a column `is_history`; tables of counts stay as they are."""
        if signal not in EVENT_TIME:
            return rows
        received = _microseconds(rows["received_at"])
        ended = _microseconds(rows[EVENT_TIME[signal]])
        if signal == "spans":
            # A long call is told when it ends.
            ended = ended + rows["duration_ns"].to_numpy() // 1_000
        is_history = received - ended > LATE_US
        if len(received) and (self._late or is_history.any()):
            # Delivery by delivery, so that it is the same however many are taken in together.
            edges = [0, *(np.flatnonzero(np.diff(received)) + 1), len(received)]
            for low, high in pairwise(edges):
                part = rows.slice(low, high - low)
                is_history[low:high] = self._of_delivery(
                    part, is_history[low:high], ended[low:high], int(received[low])
                )
        return rows.append_column("is_history", pa.array(is_history))

    def _of_delivery(
        self, rows: pa.Table, is_late: np.ndarray, ended: np.ndarray, received_us: int
    ) -> np.ndarray:
        late = rows.filter(pa.array(is_late)).select(["component", "component_instance"])
        senders = {(row["component"], row["component_instance"]) for row in late.to_pylist()}
        self._late |= dict.fromkeys(senders, received_us)
        self._late = {s: at for s, at in self._late.items() if received_us - at < _CATCHING_UP_US}
        is_history = is_late
        for (component, instance), until in self._late.items():
            is_theirs = pc.and_(
                pc.equal(pc.fill_null(rows["component"], ""), component or ""),
                pc.equal(pc.fill_null(rows["component_instance"], ""), instance or ""),
            )
            is_history = is_history | (is_theirs.to_numpy() & (ended < until))
        return is_history


def _microseconds(times: pa.ChunkedArray) -> np.ndarray:
    return times.cast(pa.int64()).to_numpy()
