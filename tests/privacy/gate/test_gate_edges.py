"""Edges of the gate's columns and texts: names with paths, arrays, whose a value is, very long traces."""

import numpy as np
import pyarrow as pa
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue

from privacy.gate import treatments
from privacy.gate.attribute_values import _MAX_ARRAY_ITEMS, _arrays_as_json
from privacy.gate.counts import Owners
from privacy.gate.stack_skeletons import _MAX_LINES, scrub_stack


def test_a_path_in_a_span_name_becomes_a_template_and_the_words_beside_it_stay() -> None:
    assert treatments.span_name("GET /users/jane/inventory") == "GET /users/{id}/inventory"
    assert treatments.span_name("GET /ready") == "GET /ready"


def test_owners_are_those_of_the_rows_that_are_taken_and_of_the_items_of_lists() -> None:
    two = Owners.of(pa.array(["api", "agent", "api"]))
    assert [two.names[code] for code in two.take(np.array([1, 2])).codes] == ["agent", "api"]
    assert [two.names[code] for code in two.spread(np.array([2, 0, 1])).codes] == ["api"] * 3
    one = Owners.of(pa.array(["api", "api"]))
    assert one.take(np.array([0])) is one and one.spread(np.array([1, 4])) is one


def _leaf(**value: object) -> bytes:
    return AnyValue(**value).SerializeToString()  # type: ignore[arg-type]


def test_an_array_is_its_scalars_as_json_and_what_nests_is_left_out() -> None:
    nested = _leaf(array_value=ArrayValue(values=[AnyValue(string_value="deep")]))
    rows = [
        [_leaf(string_value="a"), nested, _leaf(int_value=0), _leaf(bool_value=False), _leaf()],
        None,
        [],
        [_leaf(double_value=1.5)] * (_MAX_ARRAY_ITEMS + 1),
    ]
    told = _arrays_as_json(pa.array(rows, pa.list_(pa.binary()))).to_pylist()
    assert told[:3] == ['["a", 0, false]', None, "[]"]
    assert told[3].count("1.5") == _MAX_ARRAY_ITEMS


def test_a_very_long_trace_keeps_its_beginning_and_its_end() -> None:
    frames = [f'  File "/app/src/game/m{n}.py", line {n}, in f{n}' for n in range(1, 2_001)]
    trace = "\n".join(["Traceback (most recent call last):", *frames, "ValueError: lost"])
    kept = scrub_stack(trace, lambda text: text).splitlines()
    assert len(kept) == _MAX_LINES
    assert kept[0].startswith("Traceback") and "m1.py" in kept[1]
    assert kept[-1].startswith("ValueError") and "m2000.py" in kept[-2]
    assert not any("m1000.py" in line for line in kept)
