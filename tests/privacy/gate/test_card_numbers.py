"""A payment card is one however it is typed."""

import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.gate.card_numbers import without_cards

CARD = 4_111_111_111_111_111


def test_a_card_sent_as_a_number_is_not_kept() -> None:
    column = pa.array([CARD, None, 17, 378_282_246_310_005, 2_223_003_122_003_222], pa.int64())
    assert without_cards(column).to_pylist() == [None, None, 17, None, None]
    assert without_cards(pa.array([float(CARD), 0.5])).to_pylist() == [None, 0.5]


@pytest.mark.parametrize(
    "number", [CARD + 1, 1_764_080_000_123_456_789, 34_359_738_368, -CARD, 2**63 - 1, 0]
)
def test_times_sizes_and_other_numbers_stay(number: int) -> None:
    assert without_cards(pa.array([number], pa.int64())).to_pylist() == [number]


def test_what_is_no_number_stays_as_it_is() -> None:
    column = pa.array([math.inf, -math.inf, None])
    assert without_cards(column).to_pylist() == [math.inf, -math.inf, None]
    assert math.isnan(without_cards(pa.array([math.nan]))[0].as_py())


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_a_column_keeps_its_length_and_all_its_small_numbers(
    numbers: list[int],
) -> None:
    kept = without_cards(pa.array(numbers, pa.int64())).to_pylist()
    assert len(kept) == len(numbers)
    assert all(new == old or old >= 10**12 for new, old in zip(kept, numbers, strict=True))
