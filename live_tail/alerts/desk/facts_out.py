"""What happened to alerts goes to the warehouse by the door that everything takes: OTLP log records.

Here: life events as records, and sending them in order from where the last answer left off. The
events in `state.db` are the outbox: the cursor follows the answer, so after a crash some are sent
again. That changes nothing: every record is an instant of one episode, and the marts keep instants.
Not here: the marts (`dbt/models/marts/errors`), notifications (`notifier`).
"""

import hashlib
import threading
from collections.abc import Sequence

from ingestion.doors.own_receiver import Send, SendFailed
from live_tail.alerts.life.alert_tables import Tables
from live_tail.alerts.life.untold import LifeEvent, Untold
from privacy.process_log.log import logger

_log = logger()
COMPONENT = "tta-monitor-alerts"
_BATCH = 500
_POLL_S, _LONGEST_S = 2.0, 60.0


class FactsOut:
    """Sends life events; `step` sends one batch, `run` goes on until `stop`."""

    def __init__(self, tables: Tables, send: Send) -> None:
        self._tables, self._untold, self._send = tables, Untold(tables), send
        self._seen = -1
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Ask `run` to end."""
        self._stopping.set()

    def run(self) -> None:
        """Send until stopped; while the door is closed the wait doubles, up to a minute."""
        wait_s = _POLL_S
        while not self._stopping.is_set():
            try:
                if self.look():
                    wait_s = _POLL_S
                    continue
            except SendFailed as error:
                wait_s = min(2 * wait_s, _LONGEST_S)
                _log.warning("alert events could not be sent, trying again", cause=str(error))
            except Exception as error:  # noqa: BLE001 - alerting goes on without its statistics
                wait_s = _LONGEST_S
                _log.error("alert events could not be sent", cause=type(error).__name__)
            self._stopping.wait(wait_s)
        self._tables.close()

    def step(self) -> int:
        """Send the next events; returns how many. Raises SendFailed, then they are sent again."""
        events = self._untold.unsent(_BATCH)
        if events:
            self._send(body_of(events))
            self._untold.mark_sent(events[-1].seq)
        return len(events)

    def look(self) -> int:
        """`step`, unless nobody has written to the store since it held nothing to send."""
        version = self._tables.version()
        if version == self._seen:
            return 0
        sent = self.step()
        self._seen = version if sent == 0 else self._seen
        return sent


def body_of(events: Sequence[LifeEvent]) -> bytes:
    """One export; the same events make the same bytes."""
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (  # noqa: PLC0415 - many
        ExportLogsServiceRequest,  # a home at rest never has anything to send
    )

    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    resource.resource.attributes.add(key="service.name").value.string_value = COMPONENT
    records = resource.scope_logs.add().log_records
    for event in events:
        alert = event.alert
        record = records.add(
            time_unix_nano=event.at_us * 1_000, severity_number=9, event_name="tta.alert"
        )
        labels = dict(alert.labels)
        texts = {
            "id": hashlib.blake2b(alert.id.encode(), digest_size=16).hexdigest(),
            "event": event.kind,
            "rule": alert.rule,
            "component": labels.get("component", ""),
            "severity": alert.severity.value,
        }
        for name, text in texts.items():
            record.attributes.add(key=f"tta.alert.{name}").value.string_value = text
        record.attributes.add(key="tta.alert.notifications").value.int_value = event.notifications
        if event.kind in {"fired", "reopened"} and alert.fired_at:
            held = max((alert.fired_at - alert.started_at).total_seconds(), 0.0)
            record.attributes.add(key="tta.alert.pending_s").value.double_value = held
        if event.kind == "resolved":
            by_hand = record.attributes.add(key="tta.alert.is_by_hand")
            by_hand.value.bool_value = bool(alert.resolved_by)
    return request.SerializeToString(deterministic=True)
