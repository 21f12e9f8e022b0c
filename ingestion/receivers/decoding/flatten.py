"""Decoded OTLP batches become flat, gated tables: one row per span, log record or metric point.

Here: the three signals' shapes against `ingestion/contracts`, and which items are refused. Not here:
decoding bytes (`protobuf`, `otlp_json`), metric points (`flatten_metrics`), rules of the gate
(`privacy/`). Nothing leaves these functions that has not passed the gate. Source: OTLP 1.x, trace.proto
and logs.proto.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contracts import LOGS, SPANS
from ingestion.receivers.decoding.flatten_metrics import flatten_metrics
from ingestion.receivers.decoding.nested import (
    children,
    enum_codes,
    enum_text,
    field_of,
    id_or_null,
    is_ahead,
    is_null,
    nested,
    none_if_empty,
    time_us,
    values_of,
)
from ingestion.receivers.decoding.origin import open_scopes, origin_of
from ingestion.receivers.decoding.rejections import Flat, finish
from privacy.gate.counts import Owners
from privacy.gate.gate_columns import Gate

_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_STATUSES = ("UNSET", "OK", "ERROR")
_SEVERITIES = 25  # unspecified, and four of each of six names


def flatten(signal: str, batch: pa.RecordBatch, gate: Gate, received_us: int) -> Flat:
    """The gated table of a decoded batch, one row per item, schema `contracts.LANDED[signal]`.

    `received_us` is the arrival in UTC microseconds. Raises TurnOver when the gate's turn is over.
    """
    return _FLATTEN[signal](batch, gate, received_us)


def flatten_spans(batch: pa.RecordBatch, gate: Gate, received_us: int) -> Flat:
    """One row per span, with lists of its events and links, schema `contracts.SPANS`."""
    scopes = open_scopes(batch, "scope_spans", gate)
    spans, scope_of_row = children(scopes.column.field("spans"))
    body_of_row = scopes.body_of_scope[scope_of_row]
    columns = origin_of(scopes, scope_of_row, received_us)
    owners = scopes.owners.take(scope_of_row)
    status = field_of(spans, "status")
    start_ns = spans.field("start_time_unix_nano").to_numpy(zero_copy_only=False)
    end_ns = spans.field("end_time_unix_nano").to_numpy(zero_copy_only=False)
    duration_ns = end_ns.astype(np.int64) - start_ns.astype(np.int64)
    kind, is_odd_kind = enum_text(spans.field("kind"), _KINDS)
    status_code, is_odd_status = enum_text(field_of(status, "code"), _STATUSES)
    columns |= {
        "trace_id": id_or_null(spans.field("trace_id"), 16),
        "span_id": id_or_null(spans.field("span_id"), 8),
        "parent_span_id": id_or_null(spans.field("parent_span_id"), 8),
        "name": gate.names(spans.field("name"), "span name", owners),
        "kind": kind,
        "start_at": time_us(spans.field("start_time_unix_nano")),
        # A clock that was set back meanwhile: the call took some time, nobody knows how much.
        "duration_ns": pa.array(np.maximum(duration_ns, 0)),
        "status_code": status_code,
        "status_message": gate.texts(
            none_if_empty(field_of(status, "message")), "status message", owners
        ),
        "attributes": gate.attributes(spans.field("attributes"), "span", owners),
        "events": _events(spans.field("events"), gate, owners),
        "links": _links(spans.field("links"), gate, owners),
    }
    table = pa.table([columns[n] for n in SPANS.names], names=SPANS.names)
    reasons = {
        "invalid_trace_id": is_null(columns["trace_id"]),
        "invalid_span_id": is_null(columns["span_id"]),
        "invalid_start_time": is_null(columns["start_at"]),
        "invalid_end_time": is_null(time_us(spans.field("end_time_unix_nano"))),
    }
    odd = {
        "end_before_start": duration_ns < 0,
        "unknown_enum_number": is_odd_kind | is_odd_status,
        "clock_ahead": is_ahead(columns["start_at"], received_us),
    }
    return finish(table, SPANS, reasons, body_of_row, odd)


def flatten_logs(batch: pa.RecordBatch, gate: Gate, received_us: int) -> Flat:
    """One row per log record, schema `contracts.LOGS`; a body that is not text is not kept."""
    scopes = open_scopes(batch, "scope_logs", gate)
    records, scope_of_row = children(scopes.column.field("log_records"))
    body_of_row = scopes.body_of_scope[scope_of_row]
    columns = origin_of(scopes, scope_of_row, received_us)
    owners = scopes.owners.take(scope_of_row)
    observed = time_us(records.field("observed_time_unix_nano"))
    event_at = pc.coalesce(
        time_us(records.field("time_unix_nano")), observed, columns["received_at"]
    )
    bodies = field_of(records, "body")
    body = field_of(bodies, "string_value")
    gate.drop(pc.and_(bodies.is_valid(), body.is_null()), "log body", owners)
    severity, is_odd_severity = enum_codes(records.field("severity_number"), _SEVERITIES)
    columns |= {
        "event_at": event_at,
        "observed_at": observed,
        "severity_number": pa.array(severity.astype(np.int32)),
        "severity_text": gate.tokens(
            none_if_empty(records.field("severity_text")), "severity text", owners
        ),
        "event_name": gate.tokens(none_if_empty(records.field("event_name")), "event name", owners),
        "body": gate.texts(body, "log body", owners),
        "trace_id": id_or_null(records.field("trace_id"), 16),
        "span_id": id_or_null(records.field("span_id"), 8),
        "attributes": gate.attributes(records.field("attributes"), "log", owners),
    }
    table = pa.table([columns[n] for n in LOGS.names], names=LOGS.names)
    odd = {
        "unknown_enum_number": is_odd_severity,
        "clock_ahead": is_ahead(event_at, received_us),
    }
    return finish(table, LOGS, {}, body_of_row, odd)


def _events(lists: pa.ListArray, gate: Gate, of_spans: Owners) -> pa.ListArray:
    events = values_of(lists)
    owners = of_spans.spread(np.diff(lists.offsets.to_numpy()))
    columns = [
        time_us(events.field("time_unix_nano")),
        gate.names(events.field("name"), "event name", owners),
        gate.attributes(events.field("attributes"), "event", owners),
    ]
    return nested(lists, pa.StructArray.from_arrays(columns, ["event_at", "name", "attributes"]))


def _links(lists: pa.ListArray, gate: Gate, of_spans: Owners) -> pa.ListArray:
    links = values_of(lists)
    owners = of_spans.spread(np.diff(lists.offsets.to_numpy()))
    columns = [
        id_or_null(links.field("trace_id"), 16),
        id_or_null(links.field("span_id"), 8),
        gate.attributes(links.field("attributes"), "link", owners),
    ]
    return nested(lists, pa.StructArray.from_arrays(columns, ["trace_id", "span_id", "attributes"]))


_FLATTEN = {"spans": flatten_spans, "logs": flatten_logs, "metric_points": flatten_metrics}
