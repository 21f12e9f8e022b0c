"""OTLP/JSON objects become the Arrow columns that `protobuf.to_arrow` makes of protobuf.

Here: columns of many objects at once, by the names and types that the flattening reads. Not here: the
objects (`json_types`) and reading bytes (`json_bodies`). What is not set has protobuf's default; a
number that does not fit its field raises ValueError, as it does in protobuf's own JSON mapping. Source:
OTLP 1.x, "JSON Protobuf Encoding".
"""

from collections.abc import Callable

import pyarrow as pa
from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtobufSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status as ProtobufStatus

from ingestion.receivers.decoding.otlp_json import json_types as of
from ingestion.receivers.decoding.otlp_json.json_attributes import attributes_of, values_of
from ingestion.receivers.decoding.otlp_json.json_fields import (
    Objects,
    columns_of,
    enums,
    ids_of,
    lists_of,
    named,
    set_or,
    struct,
    struct_with,
    texts,
    u64,
)
from ingestion.receivers.decoding.otlp_json.json_metric_columns import metric_columns

_NO_RESOURCE, _NO_SCOPE, _NO_STATUS = of.Resource(), of.Scope(), of.Status()


def export_columns(signal: str, exports: Objects) -> pa.RecordBatch:
    """One row per export, one column of lists of groups: what ptars makes of the same export in protobuf.

    Raises ValueError when a value does not fit its field.
    """
    groups, scopes, items, make = _LEVELS[signal]

    def of_scopes(found: Objects) -> pa.Array:
        scope = struct(set_or(found, "scope", _NO_SCOPE), {"name": texts, "version": texts})
        return named({"scope": scope, items: lists_of(found, items, make)})

    def of_groups(found: Objects) -> pa.Array:
        resource = struct_with(
            set_or(found, "resource", _NO_RESOURCE), {"attributes": attributes_of}
        )
        return named({"resource": resource, scopes: lists_of(found, scopes, of_scopes)})

    return pa.RecordBatch.from_arrays([lists_of(exports, groups, of_groups)], [groups])


def _spans(spans: Objects) -> pa.Array:
    fixed = {
        "trace_id": ids_of(16), "span_id": ids_of(8), "parent_span_id": ids_of(8), "name": texts,
        "kind": enums(ProtobufSpan.SpanKind), "start_time_unix_nano": u64,
        "end_time_unix_nano": u64,
    }  # fmt: skip
    status = struct(
        set_or(spans, "status", _NO_STATUS),
        {"message": texts, "code": enums(ProtobufStatus.StatusCode)},
    )
    return named(
        columns_of(spans, fixed)
        | {
            "attributes": attributes_of(spans),
            "events": lists_of(spans, "events", _events),
            "links": lists_of(spans, "links", _links),
            "status": status,
        }
    )


def _events(events: Objects) -> pa.Array:
    return struct_with(
        events, {"attributes": attributes_of}, {"time_unix_nano": u64, "name": texts}
    )


def _links(links: Objects) -> pa.Array:
    return struct_with(
        links, {"attributes": attributes_of}, {"trace_id": ids_of(16), "span_id": ids_of(8)}
    )


def _log_records(records: Objects) -> pa.Array:
    fixed = {
        "time_unix_nano": u64, "observed_time_unix_nano": u64,
        "severity_number": enums(SeverityNumber), "severity_text": texts, "event_name": texts,
        "trace_id": ids_of(16), "span_id": ids_of(8),
    }  # fmt: skip
    bodies = [r.body for r in records]
    return named(
        columns_of(records, fixed)
        | {"body": values_of(bodies), "attributes": attributes_of(records)}
    )  # fmt: skip


_LEVELS: dict[str, tuple[str, str, str, Callable[[Objects], pa.Array]]] = {
    "spans": ("resource_spans", "scope_spans", "spans", _spans),
    "logs": ("resource_logs", "scope_logs", "log_records", _log_records),
    "metric_points": ("resource_metrics", "scope_metrics", "metrics", metric_columns),
}
