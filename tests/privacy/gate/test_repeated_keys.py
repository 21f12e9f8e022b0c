"""Attribute lists as maps: each key once, the last value of each."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.gate.repeated_keys import once

LISTS = st.lists(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 99)), max_size=8), max_size=12
)


def as_once(lists: list[list[tuple[int, int]]], distinct: int):
    flat = [entry for entries in lists for entry in entries]
    offsets = np.concatenate(([0], np.cumsum([len(entries) for entries in lists]))).astype(np.int64)
    values = pa.array([value for _, value in flat], pa.int64())
    codes = np.array([key for key, _ in flat], dtype=np.int64)
    return once(pa.StructArray.from_arrays([values], ["value"]), codes, offsets, distinct)


@settings(deadline=None)
@given(LISTS, st.sampled_from([7, 100_000]))
def test_every_list_becomes_what_a_dictionary_of_it_is(lists, distinct: int) -> None:
    made = as_once(lists, distinct)
    values = made.entries.field("value").to_pylist()
    for row, entries in enumerate(lists):
        low, high = made.offsets[row], made.offsets[row + 1]
        kept = list(zip(made.codes[low:high].tolist(), values[low:high], strict=True))
        assert dict(kept) == dict(entries)
        assert len(kept) == len(dict(entries))
    gone = sum(len(entries) - len(dict(entries)) for entries in lists)
    assert len(made.gone_rows) == len(made.gone_codes) == gone
