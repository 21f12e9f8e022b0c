"""OTLP/JSON as typed objects: what `json_columns` turns into columns.

Here: the messages of spans and logs and what all signals share, with the fields that are kept, and which of
their fields are of which kind. Not here: metrics (`json_metric_types`), bytes (`json_bodies`) and Arrow
(`json_columns`). Source: OTLP 1.x and protobuf's JSON mapping: lowerCamelCase keys, 64-bit numbers as text or
numbers, null for what is not set, names or numbers for enumerations. Unknown fields are skipped without an
object being made of them.
"""

from typing import Any

import msgspec

Whole = int | float | str | None
"""A whole number: protobuf's JSON allows `5`, `"5"` and `5.0`."""

Real = float | str | None
"""A number or `"NaN"`, `"Infinity"`, `"-Infinity"`."""

Text = str | None


class Message(msgspec.Struct, rename="camel", gc=False):
    """A message; the collector never has to look at one, because none refers back."""


class ArrayValue(Message):
    """OTLP's `ArrayValue`."""

    values: "list[AnyValue] | None" = None


class AnyValue(Message):
    """OTLP's `AnyValue`."""

    string_value: Text = None
    bool_value: bool | None = None
    int_value: Whole = None
    double_value: Real = None
    array_value: ArrayValue | None = None
    kvlist_value: dict[str, Any] | None = None
    bytes_value: Text = None


class KeyValue(Message):
    """OTLP's `KeyValue`."""

    key: Text = None
    value: AnyValue | None = None


Attributes = list[KeyValue] | None


class Resource(Message):
    """OTLP's `Resource`."""

    attributes: Attributes = None


class Scope(Message):
    """OTLP's `InstrumentationScope`."""

    name: Text = None
    version: Text = None


class Event(Message):
    """OTLP's `Span.Event`."""

    time_unix_nano: Whole = None
    name: Text = None
    attributes: Attributes = None


class Link(Message):
    """OTLP's `Span.Link`."""

    trace_id: Text = None
    span_id: Text = None
    attributes: Attributes = None


class Status(Message):
    """OTLP's `Status`."""

    message: Text = None
    code: Whole = None


class Span(Message):
    """OTLP's `Span`."""

    trace_id: Text = None
    span_id: Text = None
    parent_span_id: Text = None
    name: Text = None
    kind: Whole = None
    start_time_unix_nano: Whole = None
    end_time_unix_nano: Whole = None
    attributes: Attributes = None
    events: list[Event] | None = None
    links: list[Link] | None = None
    status: Status | None = None


class LogRecord(Message):
    """OTLP's `LogRecord`."""

    time_unix_nano: Whole = None
    observed_time_unix_nano: Whole = None
    severity_number: Whole = None
    severity_text: Text = None
    event_name: Text = None
    body: AnyValue | None = None
    trace_id: Text = None
    span_id: Text = None
    attributes: Attributes = None


class ScopeSpans(Message):
    """OTLP's `ScopeSpans`."""

    scope: Scope | None = None
    spans: list[Span] | None = None


class ResourceSpans(Message):
    """OTLP's `ResourceSpans`."""

    resource: Resource | None = None
    scope_spans: list[ScopeSpans] | None = None


class TraceExport(Message):
    """OTLP's `ExportTraceServiceRequest`."""

    resource_spans: list[ResourceSpans] | None = None


class ScopeLogs(Message):
    """OTLP's `ScopeLogs`."""

    scope: Scope | None = None
    log_records: list[LogRecord] | None = None


class ResourceLogs(Message):
    """OTLP's `ResourceLogs`."""

    resource: Resource | None = None
    scope_logs: list[ScopeLogs] | None = None


class LogsExport(Message):
    """OTLP's `ExportLogsServiceRequest`."""

    resource_logs: list[ResourceLogs] | None = None
