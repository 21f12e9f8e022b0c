"""Where a large body is cut: its pieces hold what it holds, and its structure is seen before it is read."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ingestion.receivers.decoding import wire
from ingestion.receivers.decoding.budget import json_structure
from ingestion.receivers.decoding.otlp_json import json_bodies, json_pieces
from ingestion.receivers.decoding.pieces import Pace, decoded, groups_of, pieces_of
from ingestion.receivers.decoding.protobuf import BadBody, to_arrow
from tests.ingestion.receivers.test_hostile_bodies import SMALL, span_json, traces_json
from tests.ingestion.receivers.test_receivers import NOW_NS, metric_request, span_request


@pytest.mark.parametrize("is_json", [False, True])
@pytest.mark.parametrize("items", [1, 3, 1_000])
def test_pieces_hold_what_the_body_holds(*, is_json: bool, items: int) -> None:
    request = ExportTraceServiceRequest()
    for number in range(40):
        request.MergeFrom(span_request(service=f"s{number % 3}", span=bytes([number + 1]) * 8))
    body = request.SerializeToString()
    whole = to_arrow("spans", [body])[0]
    if is_json:
        body = traces_json([span_json(n) for n in range(40)])
        whole = json_bodies.to_arrow("spans", [body])[0]
    pace = Pace()
    pace.items = items
    pieces = list(pieces_of(groups_of("spans", body, SMALL, is_json=is_json), pace))
    rows = [
        span
        for piece in pieces
        for half in (piece.halves() if piece.items > 1 else (piece,))
        for span in _spans(decoded("spans", body, half, is_json=is_json))
    ]
    assert rows == _spans(whole)


def _spans(batch: Any) -> list[tuple[str, dict[str, Any]]]:
    return [
        (str(resource["resource"]), span)
        for (resources,) in (row.values() for row in batch.to_pylist())
        for resource in resources
        for scope in resource["scope_spans"]
        for span in scope["spans"]
    ]


def test_a_metric_of_many_points_is_cut_between_them() -> None:
    request = metric_request()
    gauge = request.resource_metrics[0].scope_metrics[0].metrics[0].gauge
    for number in range(1_500):
        gauge.data_points.add(time_unix_nano=NOW_NS + number, as_double=number)
    body = request.SerializeToString()
    groups = wire.groups_of("metric_points", body, SMALL)
    assert len(groups[0].items) > 3
    batch = to_arrow("metric_points", [wire.encoded(body, [(groups[0], groups[0].items)])])[0]
    points = [
        point["time_unix_nano"]
        for metric in batch.to_pylist()[0]["resource_metrics"][0]["scope_metrics"][0]["metrics"]
        if metric["name"] == "g"
        for point in metric["gauge"]["data_points"]
    ]
    assert points == [NOW_NS, *(NOW_NS + number for number in range(1_500))]


@given(st.binary(max_size=200))
@hypothesis_settings(max_examples=300, deadline=None)
def test_any_bytes_are_cut_or_refused(body: bytes) -> None:
    for signal in ("spans", "logs", "metric_points"):
        for cut in (wire.groups_of, json_pieces.groups_of):
            try:
                cut(signal, body, SMALL)
            except BadBody as error:
                assert error.http_status in {400, 413}


@given(
    st.recursive(
        st.text(max_size=8) | st.integers() | st.none(),
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
        ),
        max_leaves=30,
    )
)
@hypothesis_settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_structure_of_json_is_counted_outside_of_texts(tree: Any) -> None:
    structure = json_structure(json.dumps(tree, ensure_ascii=False).encode())
    assert structure.depth == _depth(tree)
    assert structure.values == 1 + _openings(tree) + _commas(tree)


def _depth(tree: Any) -> int:
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


def _openings(tree: Any) -> int:
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else None
    return 0 if inner is None else 1 + sum(map(_openings, inner))


def _commas(tree: Any) -> int:
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else None
    return 0 if inner is None else max(0, len(tree) - 1) + sum(map(_commas, inner))
