"""Each person counts once, whatever the rows say."""

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.release import Dimension, Histogram, Keep, PeriodKind, ReleaseProblem
from privacy.release.bounding import bounded_counts

SPEC = Histogram(
    "weekly",
    PeriodKind.WEEK,
    (Dimension("site", ("north", "south")), Dimension.of_edges("minutes", (0, 5, 10, 30))),
    0.5,
)
SUBJECTS = st.sampled_from(["p_1", "p_2", "p_3", "", None])
SITES = st.sampled_from(["north", "south", "other", "nowhere", "NaN", "", None])
MINUTES = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))
ROWS = st.lists(st.tuples(SUBJECTS, SITES, MINUTES), max_size=40)
Row = tuple[str | None, str | None, float | None]


def frame(rows: list[Row]) -> pl.DataFrame:
    schema = {"subject": pl.String, "site": pl.String, "minutes": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def keeping(keep: Keep) -> Histogram:
    return Histogram(SPEC.mart, SPEC.period, SPEC.dimensions, 0.5, keep=keep)


@given(ROWS, st.sampled_from(Keep))
def test_the_histogram_counts_every_named_person_exactly_once(rows: list[Row], keep: Keep) -> None:
    counts = bounded_counts(frame(rows), keeping(keep))
    assert counts.shape == (3, 4) and counts.dtype == np.int64
    assert counts.min() >= 0
    assert counts.sum() == len({subject for subject, *_ in rows if subject})


@given(ROWS, st.sampled_from(Keep), st.lists(st.tuples(SITES, MINUTES), min_size=1, max_size=30))
def test_adding_a_person_with_any_rows_changes_one_cell_by_one(
    rows: list[Row], keep: Keep, added: list[tuple[str | None, float | None]]
) -> None:
    before = bounded_counts(frame(rows), keeping(keep))
    after = bounded_counts(frame([*rows, *(("p_new", *row) for row in added)]), keeping(keep))
    change = after - before
    assert np.abs(change).sum() == 1 and change.max() == 1


@given(ROWS, st.sampled_from(Keep), st.randoms())
def test_the_order_of_rows_does_not_matter(rows: list[Row], keep: Keep, chance: object) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)
    same = bounded_counts(frame(shuffled), keeping(keep))
    assert (same == bounded_counts(frame(rows), keeping(keep))).all()


@pytest.mark.parametrize(
    ("keep", "expected"),
    [(Keep.MOST_FREQUENT, 1), (Keep.LOWER_MEDIAN, 1), (Keep.FIRST, 0), (Keep.LAST, 2)],
)
def test_the_rule_chooses_the_cell_it_names(keep: Keep, expected: int) -> None:
    rows = [("p_1", "north", minutes) for minutes in (1.0, 6.0, 7.0, 29.0)]
    assert bounded_counts(frame(rows), keeping(keep))[0].tolist() == [
        int(i == expected) for i in range(4)
    ]


def test_values_outside_count_at_the_ends_and_unknown_ones_as_other() -> None:
    rows = [
        ("p_1", "north", -5.0), ("p_2", "north", 1e300), ("p_3", "north", float("inf")),
        ("p_4", "mars", 5.0), ("p_5", None, None), ("p_6", "south", float("nan")),
    ]  # fmt: skip
    assert bounded_counts(frame(rows), SPEC).tolist() == [[1, 0, 2, 0], [0, 0, 0, 1], [0, 1, 0, 1]]


def test_arrow_tables_integers_dictionaries_and_further_columns_are_fine() -> None:
    table = pa.table(
        {
            "subject": pa.array([1, 2, None]),
            "site": pa.array(["north", "south", "south"]).dictionary_encode(),
            "minutes": pa.array([1, 12, 12]),
            "note": ["x", "y", "z"],
        }
    )
    assert bounded_counts(table, SPEC).sum() == 2


def test_a_subject_that_is_not_a_number_is_nobody() -> None:
    table = pl.DataFrame({"subject": [1.0, float("nan")], "site": "north", "minutes": 1.0})
    assert bounded_counts(table, SPEC).sum() == 1


def test_an_empty_period_is_all_bins_of_zero() -> None:
    assert bounded_counts(frame([]), SPEC).tolist() == [[0] * 4] * 3


def test_without_an_other_bin_an_unknown_value_is_refused_and_not_repeated() -> None:
    closed = Histogram("weekly", PeriodKind.WEEK, (Dimension("site", ("north",), None),), 0.5)
    with pytest.raises(ReleaseProblem, match="column site") as caught:
        bounded_counts(frame([("p_1", "Anna Berg", 1.0)]), closed)
    assert "Anna" not in str(caught.value)


def test_a_table_that_does_not_fit_names_the_column() -> None:
    with pytest.raises(ReleaseProblem, match="no column minutes"):
        bounded_counts(pl.DataFrame({"subject": ["p"], "site": ["north"]}), SPEC)
    nested = pl.DataFrame({"subject": ["p"], "site": [["north"]], "minutes": [1.0]})
    with pytest.raises(ReleaseProblem, match="column site is List"):
        bounded_counts(nested, SPEC)
    with pytest.raises(ReleaseProblem, match="pyarrow table"):
        bounded_counts(pa.chunked_array([[1]]), SPEC)
