"""The receiver as a sender: while its detector fails, it says so in its own stream.

Here: two metric points every half minute, which reach alert rules like everybody's. Not here: the
verdict (`privacy/detection/identity`). A detector that works is silent: `/metrics` shows it.
"""

import asyncio
import time

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from ingestion.receivers.committing.committer import Committer, Overloaded
from ingestion.receivers.committing.pipeline import Incoming, StorageUnavailable
from privacy.detection.identity import DetectorIdentity, current
from privacy.process_log.log import logger

COMPONENT = "tta-monitor-receiver"
OK = "tta_monitor_gate_detector_ok"
RECALL = "tta_monitor_gate_detector_canary_recall"
_EVERY_S = 30.0
_log = logger()


async def report_failed_detector(committer: Committer) -> None:
    """Report until cancelled; returns at once when the detector is trusted."""
    detector = current()
    if detector.is_ok:
        return
    _log.error(
        "the detector misses its canaries: text fields are dropped until the receiver starts with "
        "a whole installation",
        canary_recall=round(detector.canary_recall, 4),
        weakest_recall=round(detector.weakest_recall, 4),
        floor=detector.floor,
    )
    while True:
        try:
            await committer.submit(Incoming("metric_points", report(detector, time.time_ns())))
        except (Overloaded, StorageUnavailable) as error:
            _log.warning("the failed detector could not be reported", cause=type(error).__name__)
        await asyncio.sleep(_EVERY_S)


def report(detector: DetectorIdentity, at_ns: int) -> bytes:
    """An OTLP metrics body with both gauges."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.add(key="service.name").value.string_value = COMPONENT
    metrics = resource.scope_metrics.add().metrics
    for name, value in ((OK, float(detector.is_ok)), (RECALL, detector.canary_recall)):
        point = metrics.add(name=name, unit="1").gauge.data_points.add()
        point.time_unix_nano, point.as_double = at_ns, value
    return request.SerializeToString()
