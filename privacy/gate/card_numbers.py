"""Numbers that are somebody's payment card although they are typed as numbers.

Here: ISO/IEC 7812 over numeric columns: 13 to 19 digits, an issuer's first digits, Luhn's sum. One in
ten other numbers of that size is taken for one and lost; times since 1970 begin with 1 and are not.
Not here: cards in texts (`detect`) and the leak scan's own check (`leak_checks`).
"""

import math
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from stdnum import luhn

_SMALLEST = 10**12
_ISSUERS = re.compile(r"(?:[3-6]|2[2-7])\d{12,18}\Z")


def without_cards(numbers: pa.Array) -> pa.Array:
    """The column, null where a value passes for a card; int64 or double."""
    is_large = pc.fill_null(pc.greater_equal(numbers, _SMALLEST), False)
    places = np.flatnonzero(is_large.to_numpy(zero_copy_only=False))
    if not len(places):
        return numbers
    is_card = np.zeros(len(numbers), dtype=bool)
    for place in places.tolist():
        is_card[place] = _is_card(numbers[place].as_py())
    return pc.if_else(pa.array(is_card), pa.scalar(None, numbers.type), numbers)


def _is_card(value: float) -> bool:
    digits = str(int(value)) if math.isfinite(value) else ""
    return _ISSUERS.match(digits) is not None and luhn.is_valid(digits)
