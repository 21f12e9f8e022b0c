"""The receiver's own numbers as a Prometheus exposition: constants and counts only.

Source: Prometheus exposition format 0.0.4.
"""

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from ingestion.doors.turned_away import TurnedAway
from ingestion.receivers.committing.committer import Committer
from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.receivers.committing.self_report import OK, RECALL
from privacy.detection.identity import current


class _Numbers(Collector):
    def __init__(
        self, pipeline: Pipeline, committer: Committer, turned_away: TurnedAway | None
    ) -> None:
        self._pipeline, self._committer, self._turned_away = pipeline, committer, turned_away

    def collect(self) -> list[CounterMetricFamily | GaugeMetricFamily]:
        """Families in the order of the exposition."""
        items = CounterMetricFamily(
            "tta_monitor_receiver_items",
            "Items by outcome; a body that cannot be read counts as one.",
            labels=["signal", "outcome", "reason"],
        )
        for labels, count in sorted(self._pipeline.totals.items()):
            items.add_metric(list(labels), count)
        gate = CounterMetricFamily(
            "tta_monitor_gate_values",
            "Attribute values changed or dropped by the gate.",
            labels=["level", "treatment", "reason"],
        )
        for labels, count in sorted(self._pipeline.gate.counts.treated.items()):
            gate.add_metric(list(labels), count)
        unknown = CounterMetricFamily(
            "tta_monitor_gate_unknown_attributes",
            "Attributes dropped because the allow-list does not name them.",
            labels=["level"],
        )
        for level, count in sorted(self._pipeline.gate.counts.unknown.items()):
            unknown.add_metric([level], count)
        pending = GaugeMetricFamily(
            "tta_monitor_receiver_pending_bytes",
            "Plain bytes waiting for commit.",
            value=self._committer.pending_bytes,
        )
        detector = current()
        is_ok = GaugeMetricFamily(
            OK, "Whether the detector found its canaries; 0: text is dropped.", value=detector.is_ok
        )
        recall = GaugeMetricFamily(
            RECALL, "Share of planted words that the detector found.", labels=["detector_id"]
        )
        recall.add_metric([detector.detector_id], detector.canary_recall)
        families = [items, gate, unknown, pending, is_ok, recall]
        return [*families, self._turned_away.family()] if self._turned_away else families


def exposition(
    pipeline: Pipeline, committer: Committer, turned_away: TurnedAway | None = None
) -> tuple[bytes, str]:
    """The exposition and its content type."""
    registry = CollectorRegistry()
    registry.register(_Numbers(pipeline, committer, turned_away))
    return generate_latest(registry), CONTENT_TYPE_LATEST
