"""Histograms, summaries and native histograms of expositions that are odd."""

import pytest

from ingestion.collectors.prometheus.exposition import read_exposition
from ingestion.collectors.prometheus.exposition_otlp import to_otlp
from tests.ingestion.collectors.test_expositions import NATIVE, OPEN, SCRAPE, TEXT, read, the_sum


@pytest.mark.parametrize("labels", ["", '{a="b"}'])
def test_a_native_histogram_is_an_exponential_histogram(labels: str) -> None:
    metrics, faults = read(
        f"# TYPE depth histogram\ndepth{labels} {NATIVE}\n# TYPE jobs counter\njobs_total 1\n# EOF\n"
    )
    assert not faults
    assert the_sum(metrics["jobs_total"])[0] == 1
    (point,) = metrics["depth"].exponential_histogram.data_points
    assert (point.count, point.sum, point.scale, point.zero_count) == (24, 100, 0, 4)
    # Prometheus' bucket 0 holds (0.5, 1], which OTLP calls bucket -1.
    assert (point.positive.offset, list(point.positive.bucket_counts)) == (-1, [2, 3, 0, 0, 3])
    assert list(point.negative.bucket_counts) == [2, 3, 0, 1, 4]


def test_where_a_series_has_buckets_of_both_kinds_it_is_told_once() -> None:
    body = (
        f"# TYPE depth histogram\ndepth {NATIVE}\n"
        'depth_bucket{le="1"} 1\ndepth_bucket{le="+Inf"} 24\ndepth_count 24\ndepth_sum 100\n# EOF\n'
    )
    (metric,) = to_otlp(read_exposition(body, OPEN), SCRAPE)
    assert metric.histogram.data_points[0].count == 24


def test_parts_of_a_histogram_of_levels_stay_apart() -> None:
    body = (
        '# TYPE g gaugehistogram\ng_bucket{le="1"} 1\ng_bucket{le="+Inf"} 3\n'
        "g_gcount 3\ng_gsum 9\n# EOF\n"
    )
    exposition = read_exposition(body, OPEN)
    found = [(m.name, m.gauge.data_points[0].as_double) for m in to_otlp(exposition, SCRAPE)]
    assert found == [("g_bucket", 1), ("g_bucket", 3), ("g_gcount", 3), ("g_gsum", 9)]


def test_quantiles_without_a_count_are_levels_and_no_summary_of_nothing() -> None:
    metrics, faults = read('# TYPE q summary\nq{quantile="0.5"} 7\nq 3\n', TEXT)
    (point,) = metrics["q"].gauge.data_points
    assert (point.as_double, point.attributes[0].key) == (7, "quantile")
    assert sum(faults.values()) == 1


def test_a_summary_whose_own_name_ends_like_a_part_keeps_its_count() -> None:
    body = (
        '# TYPE batch_count summary\nbatch_count{quantile="0.5"} 9\n'
        "batch_count_count 4\nbatch_count_sum 5\n"
    )
    (point,) = read(body, TEXT)[0]["batch_count"].summary.data_points
    assert (point.count, point.sum, point.quantile_values[0].value) == (4, 5, 9)


def test_buckets_that_fall_still_add_up_to_the_count() -> None:
    body = (
        '# TYPE h histogram\nh_bucket{le="1"} 5\nh_bucket{le="2"} 4\nh_bucket{le="+Inf"} 6\n'
        "h_count 6\n"
    )
    (point,) = read(body, TEXT)[0]["h"].histogram.data_points
    assert (list(point.bucket_counts), point.count) == ([5, 0, 1], 6)


def test_one_bound_written_in_two_ways_is_one() -> None:
    body = (
        '# TYPE h histogram\nh_bucket{le="1"} 5\nh_bucket{le="1.0"} 5\n'
        'h_bucket{le="+Inf"} 6\nh_count 6\n'
    )
    metrics, faults = read(body, TEXT)
    assert list(metrics["h"].histogram.data_points[0].explicit_bounds) == [1]
    assert faults == {"a series twice": 1}
