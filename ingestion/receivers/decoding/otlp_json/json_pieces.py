"""A large OTLP/JSON export is cut into pieces of items before any of them becomes an object.

Here: groups and items of a body as slices of its bytes, and a few of them as columns. Not here: limits
(`budget`), bodies that are small enough to be read at once (`json_bodies`). Source: OTLP 1.x, "JSON
Protobuf Encoding".
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

import msgspec
import pyarrow as pa

from ingestion.receivers.decoding.budget import BodyBudget, json_structure
from ingestion.receivers.decoding.otlp_json import json_metric_types as of_metrics
from ingestion.receivers.decoding.otlp_json import json_types as of
from ingestion.receivers.decoding.otlp_json.json_bodies import UNREADABLE, has_file_names, read
from ingestion.receivers.decoding.otlp_json.json_columns import export_columns
from ingestion.receivers.decoding.protobuf import NOT_JSON, BadBody
from ingestion.receivers.decoding.wire import SMALL_BYTES, UNCOUNTED_BYTES

_Told = TypeVar("_Told", of.Resource, of.Scope)
_NOTHING = msgspec.Raw(b"null")
_HALVES = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_BARE = re.compile(rb"(?<=[:,\[\s])(NaN|-?Infinity)(?=\s*[,}\]])")
_Slices = list[msgspec.Raw] | None
_Decoder = msgspec.json.Decoder[Any]
# A resource's attributes lie as deep as the items of its scopes.
_USUAL_ATTRIBUTES = 128
_MOST_ESCAPES = 100_000
_VALUES_PER_FIELD = 4  # an attribute in JSON: two objects and what separates them


class _Data(msgspec.Struct, rename="camel", omit_defaults=True):
    """A metric's data whose points are not read yet."""

    data_points: _Slices = None
    aggregation_temporality: of.Whole = None
    is_monotonic: bool | None = None


class _Metric(msgspec.Struct, rename="camel", omit_defaults=True):
    name: of.Text = None
    unit: of.Text = None
    gauge: _Data | None = None
    sum: _Data | None = None
    histogram: _Data | None = None
    exponential_histogram: _Data | None = None
    summary: _Data | None = None


@dataclass(frozen=True)
class _Form:
    """Readers of the levels of one signal, and how an export is put together again."""

    resources: _Decoder
    scopes: _Decoder
    items: _Decoder
    item_list: _Decoder
    export: Callable[[list[tuple[of.Resource, of.Scope, list[Any]]]], Any]


@dataclass(frozen=True)
class Group:
    """A scope of a resource, its items as slices, and how many of them are too much."""

    resource: of.Resource
    scope: of.Scope
    items: list[bytes]
    refused: int
    told_bytes: int


def groups_of(signal: str, body: bytes, budget: BodyBudget) -> list[Group]:
    """The groups of a body; raises BadBody for too many of anything and for what is no OTLP/JSON."""
    shape = json_structure(body)
    budget.check_depth(shape.depth)
    # Upper bounds, before lists are made of what is there: the root, resources, scopes and items.
    resources, attributes = shape.commas[2] + 1, _USUAL_ATTRIBUTES * shape.openings[3]
    budget.check_groups(resources)
    budget.check_groups(shape.commas[4] - 4 * shape.openings[3])
    budget.check_items(shape.commas[6] - attributes)
    try:
        return list(_groups(_FORMS[signal], body, budget))
    except UNREADABLE:
        raise BadBody(NOT_JSON) from None


def columns(signal: str, parts: Sequence[tuple[Group, list[bytes]]]) -> pa.RecordBatch:
    """These items of these groups as one row; raises BadBody."""
    form = _FORMS[signal]
    try:
        made = read(b"[" + b",".join(i for _, items in parts for i in items) + b"]", form.item_list)
        rest = iter(made)
        filled = [(g.resource, g.scope, list(islice(rest, len(items)))) for g, items in parts]
        return export_columns(signal, [form.export(filled)])
    except UNREADABLE:
        raise BadBody(NOT_JSON) from None


def _groups(form: _Form, body: bytes, budget: BodyBudget) -> Iterator[Group]:
    scopes = count = 0
    for of_resource in _top(form.resources, body).found or ():
        resource = form.scopes.decode(of_resource)
        told = _told(resource.told, of.Resource, budget)
        for of_scope in resource.found or ():
            scopes += 1
            budget.check_groups(scopes)
            scope = form.items.decode(of_scope)
            items, refused = _chosen(scope.found or (), budget, is_metric=form is _METRICS)
            count += len(items) + refused
            budget.check_items(count)
            told_bytes = len(bytes(resource.told)) + len(bytes(scope.told))
            yield Group(told, _told(scope.told, of.Scope, budget), items, refused, told_bytes)


def _top(decoder: _Decoder, body: bytes) -> Any:
    """The first level, as `json_bodies.read` has it but without Python's own reader.

    That would hold the interpreter for as long as it reads.
    """
    if has_file_names(body):
        raise BadBody("the fields of a large JSON body must have their lowerCamelCase names")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        if body.count(b"\\u") > _MOST_ESCAPES:
            raise
        return decoder.decode(_BARE.sub(rb'"\1"', _HALVES.sub(_whole_characters, body)))


def _whole_characters(match: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if match["half"] else match[0]


def _told(raw: msgspec.Raw, form: type[_Told], budget: BodyBudget) -> _Told:
    """What a group tells once, unless it is not set."""
    text = bytes(raw)
    if len(text) > SMALL_BYTES and _is_too_much(text, budget):
        raise budget.too_many_values("a resource or scope")
    return read(text, msgspec.json.Decoder(form | None)) or form()


def _chosen(
    found: Sequence[msgspec.Raw], budget: BodyBudget, *, is_metric: bool
) -> tuple[list[bytes], int]:
    items: list[bytes] = []
    refused = 0
    for item in map(bytes, found):
        if len(item) <= (SMALL_BYTES if is_metric else UNCOUNTED_BYTES):
            items.append(item)
        elif is_metric:
            refused += _metric(item, items, budget)
        elif _is_too_much(item, budget):
            refused += 1
        else:
            items.append(item)
    return items, refused


def _metric(item: bytes, items: list[bytes], budget: BodyBudget) -> int:
    """A large metric as runs of its points; returns how many points are too much."""
    metric = msgspec.json.decode(item, type=_Metric)
    refused = 0
    for kind in ("gauge", "sum", "histogram", "exponential_histogram", "summary"):
        data = getattr(metric, kind) or _Data()
        points = list(map(bytes, data.data_points or ()))
        good = [p for p in points if len(p) <= UNCOUNTED_BYTES or not _is_too_much(p, budget)]
        refused += len(points) - len(good)
        for run in _runs(good):
            part = _Data(
                [msgspec.Raw(p) for p in run], data.aggregation_temporality, data.is_monotonic
            )
            items.append(msgspec.json.encode(_Metric(metric.name, metric.unit, **{kind: part})))
    return refused


def _runs(points: list[bytes]) -> Iterator[list[bytes]]:
    run: list[bytes] = []
    size = 0
    for point in points:
        if run and size + len(point) > SMALL_BYTES:
            yield run
            run, size = [], 0
        run.append(point)
        size += len(point)
    if run:
        yield run


def _is_too_much(item: bytes, budget: BodyBudget) -> bool:
    if len(item) > budget.item_bytes:
        return True
    return json_structure(item).values > _VALUES_PER_FIELD * budget.item_values


def _level(found: str, told: str = "") -> _Decoder:
    """A reader of one level: the slices of the next, and what is told once, as `told`."""
    made = msgspec.defstruct(
        "Level",
        [("found", _Slices, None), ("told", msgspec.Raw, _NOTHING)],
        rename={"found": found, "told": told},
    )
    return msgspec.json.Decoder(made)


def _form(names: tuple[str, str, str], item: type, export: Callable[..., Any]) -> _Form:
    resources, scopes, items = names
    return _Form(
        _level(resources),
        _level(scopes, "resource"),
        _level(items, "scope"),
        msgspec.json.Decoder(list[item]),  # pyright: ignore[reportInvalidTypeForm] - the type is a value here
        export,
    )


_METRICS = _form(
    ("resourceMetrics", "scopeMetrics", "metrics"),
    of_metrics.Metric,
    lambda parts: of_metrics.MetricsExport(
        [of_metrics.ResourceMetrics(r, [of_metrics.ScopeMetrics(s, i)]) for r, s, i in parts]
    ),
)
_FORMS = {
    "spans": _form(
        ("resourceSpans", "scopeSpans", "spans"),
        of.Span,
        lambda parts: of.TraceExport(
            [of.ResourceSpans(r, [of.ScopeSpans(s, i)]) for r, s, i in parts]
        ),
    ),
    "logs": _form(
        ("resourceLogs", "scopeLogs", "logRecords"),
        of.LogRecord,
        lambda parts: of.LogsExport(
            [of.ResourceLogs(r, [of.ScopeLogs(s, i)]) for r, s, i in parts]
        ),
    ),
    "metric_points": _METRICS,
}
