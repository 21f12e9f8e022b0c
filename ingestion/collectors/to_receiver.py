"""What the SDK measured goes to this home's own receiver.

Here: one collection as an OTLP export, a few attempts. Not here: the request (`ingestion/doors/own_receiver`)
and what is measured (`machine`). The SDK's own exporter needs an HTTP library of 15 MB for one POST.
"""

import threading
from typing import Any

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData

from ingestion.doors.backoff import waits
from ingestion.doors.own_receiver import Send, SendFailed, SendRefused
from privacy.process_log.log import logger

_ATTEMPTS = 4
_log = logger()


class ReceiverExporter(MetricExporter):
    """Exports with `send`; what does not arrive after a few seconds is given up and told.

    The next collection brings the counters' sums again; gauges of the lost one are missing.
    """

    def __init__(self, send: Send) -> None:
        super().__init__()
        self._send = send
        self._stopping = threading.Event()

    def export(self, metrics_data: MetricsData, *_: Any, **__: Any) -> MetricExportResult:
        """Send one collection."""
        body = encode_metrics(metrics_data).SerializeToString()
        cause = self._attempts(body)
        if not cause:
            return MetricExportResult.SUCCESS
        _log.warning("metrics of this machine could not be delivered", cause=cause)
        return MetricExportResult.FAILURE

    def _attempts(self, body: bytes) -> str:
        """Why it did not arrive; empty when it did."""
        pauses = waits(_ATTEMPTS)
        while True:
            try:
                self._send(body)
            except SendRefused as refused:
                return str(refused)
            except SendFailed as failed:
                pause_s = next(pauses, None)
                if pause_s is None or self._stopping.wait(pause_s):
                    return str(failed)
            else:
                return ""

    def force_flush(self, *_: Any) -> bool:
        """Nothing waits here."""
        return True

    def shutdown(self, *_: Any, **__: Any) -> None:
        """The attempt at hand is the last."""
        self._stopping.set()
