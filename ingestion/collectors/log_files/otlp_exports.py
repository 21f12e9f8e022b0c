"""Entries of a log file as OTLP exports: the records, and what of the entries is no record.

Here: grouping by component and counting what was left out. Not here: what a line means (`lines`), positions
and sending (`tail`). Times are Unix nanoseconds. Source: OTLP 1.x, logs.proto.
"""

from collections import Counter
from collections.abc import Mapping

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from ingestion.collectors.log_files.lines import Entry, to_record
from ingestion.collectors.own_settings import FollowedFiles
from ingestion.contracts.told import drop_metric
from privacy.process_log.log import logger

_log = logger()


def export_of_drops(dropped: Mapping[str, int], at_ns: int, component: str) -> bytes:
    """The OTLP metrics export that says how many entries went by which rule; `at_ns` in Unix nanoseconds."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.append(_service(component))
    resource.scope_metrics.add().metrics.append(drop_metric("logs", dropped, at_ns))
    return request.SerializeToString(deterministic=True)


def _service(component: str) -> KeyValue:
    return KeyValue(key="service.name", value=AnyValue(string_value=component))


def export_of_entries(
    found: list[Entry], at_ns: int, component: str, files: FollowedFiles
) -> tuple[bytes, Counter[str]]:
    """One OTLP logs export, grouped by component and, by reason, how many entries are not in it.

    `at_ns`, Unix nanoseconds, is the time observed, and that of entries that name none.
    """
    request = ExportLogsServiceRequest()
    by_component: dict[str, object] = {}
    dropped: Counter[str] = Counter()
    for entry in found:
        record, named = _record(entry, at_ns)
        if entry.is_cut:
            dropped["the rest of a line of a megabyte"] += 1
        if not record.body.string_value and not record.attributes:
            dropped["an empty log entry"] += 1
            continue
        whose = files.component or named or component
        records = by_component.get(whose)
        if records is None:
            resource = request.resource_logs.add()
            resource.resource.attributes.append(_service(whose))
            records = by_component[whose] = resource.scope_logs.add().log_records
        # The place in the file tells equal lines apart, and the same line sent again from them.
        record.attributes.add(key="log.file.position").value.int_value = entry.start
        records.append(record)  # type: ignore[attr-defined]
    return request.SerializeToString(deterministic=True), dropped


def _record(entry: Entry, at_ns: int) -> tuple[LogRecord, str | None]:
    """What an entry says; one that cannot be made out is kept as the text that it is."""
    try:
        return to_record(entry.text, at_ns)
    except Exception as error:  # noqa: BLE001 - one line must not end the tailing of every file
        _log.warning("a log line could not be read and is kept as text", cause=type(error).__name__)
        record = LogRecord(time_unix_nano=at_ns, observed_time_unix_nano=at_ns)
        record.body.string_value = entry.text
        return record, None
