"""Expositions with something odd in them: it costs itself at most, and is counted and named."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from ingestion.collectors.prometheus.exposition import NotAnExposition, read_exposition
from ingestion.collectors.prometheus.exposition_otlp import ScrapeTime, to_otlp

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_NOW = 1_795_900_000 * 10**9
SCRAPE = ScrapeTime(_NOW, _NOW - 15 * 10**9)
_TRACE = "0af7651916cd43dd8448eb211c80319c"


def read(body: str, content_type: str = OPEN) -> tuple[dict[str, Metric], dict[str, int]]:
    exposition = read_exposition(body, content_type)
    return {m.name: m for m in to_otlp(exposition, SCRAPE)}, dict(exposition.faults)


def the_sum(metric: Metric) -> tuple[float, bool, int]:
    point = metric.sum.data_points[0]
    return point.as_double, metric.sum.is_monotonic, point.time_unix_nano


_WHOLE = (
    "# TYPE calls counter\ncalls_total 7\n# TYPE temperature gauge\ntemperature 21 1795890000.123\n"
)
_DEVIATIONS = {
    "an exemplar on a gauge": '# TYPE lag gauge\nlag 3 # {k="v"} 1\n# EOF\n',
    "no end": "",
    "an empty line": "\n# EOF\n",
    "a comment": "# by hand\n# EOF\n",
    "interleaved families": 'calls_total{a="b"} 7\n# EOF\n',
    "a unit that does not match": "# TYPE size gauge\n# UNIT size bytes\nsize 1\n# EOF\n",
    "a long exemplar": f'# TYPE n counter\nn_total 1 # {{k="{"v" * 128}"}} 1\n# EOF\n',
    "an info without its suffix": '# TYPE build info\nbuild{v="1"} 1\n# EOF\n',
    "a counter without its suffix": "# TYPE jobs counter\njobs 1\n# EOF\n",
    "a type that is none": "# TYPE odd meter\nodd 1\n# EOF\n",
    "a second type": "# TYPE calls gauge\n# EOF\n",
    "a negative counter": "# TYPE n counter\nn_total -1\n# EOF\n",
    "a label twice": 'a{b="1",b="2"} 1\n# EOF\n',
    "a series twice": "a 1\na 2\n# EOF\n",
    "a broken label": 'a{b="1} 1\n# EOF\n',
    "a bucket without a bound": "# TYPE h histogram\nh_bucket 1\n# EOF\n",
    "a bucket that counts nothing": '# TYPE h histogram\nh_bucket{le="1"} NaN\n# EOF\n',
    "a time of another world": "a 1 1e300\n# EOF\n",
    "a time before 1970": "a 1 -5\n# EOF\n",
    "a value too large": "a 1e999\n# EOF\n",
    "digits of another script": "a \u0661\n# EOF\n",
    "an underscore in a number": "a 1_000\n# EOF\n",
    "bytes that are not UTF-8": 'a{b="\udce9"} 1\n# EOF\n',
    "lines after the end": "# EOF\nb 1\n",
    "a native histogram of an unknown schema": "h {count:1,sum:1,schema:-53}\n# EOF\n",
    "a native histogram that goes on for ever": (
        "h {count:1,sum:1,schema:0,positive_spans:[0:9999999],positive_deltas:[1]}\n# EOF\n"
    ),
}


@pytest.mark.parametrize("odd", _DEVIATIONS.values(), ids=_DEVIATIONS.keys())
def test_one_deviation_of_openmetrics_costs_itself_and_is_counted(odd: str) -> None:
    metrics, faults = read(_WHOLE + odd)
    assert the_sum(metrics["calls_total"]) == (7, True, _NOW)
    point = metrics["temperature"].gauge.data_points[0]
    assert (point.as_double, point.time_unix_nano) == (21, 1_795_890_000_123_000_000)
    assert sum(faults.values()) == 1, faults


def test_what_openmetrics_allows_is_no_fault() -> None:
    body = _WHOLE + (
        "# HELP calls how many\n# TYPE q summary\n"
        'q{quantile="0.5"} 1\nq_count 3\nq_sum 4\nq_created 1795890000\n'
        "# TYPE size_bytes gauge\n# UNIT size_bytes bytes\nsize_bytes +Inf\n"
        '# TYPE state stateset\nstate{state="a"} 1\nstate{state="b"} 0\n'
        '# TYPE build info\nbuild_info{v="1"} 1\n# EOF\n'
    )
    metrics, faults = read(body)
    assert not faults
    assert (metrics["q"].summary.data_points[0].count, metrics["size_bytes"].unit) == (3, "bytes")
    assert len(metrics["build_info"].gauge.data_points) == 1


def test_line_ends_of_windows_are_read_and_counted_once() -> None:
    metrics, faults = read((_WHOLE + "# EOF\n").replace("\n", "\r\n"))
    assert the_sum(metrics["calls_total"]) == (7, True, _NOW)
    assert faults == {"lines that end in CR LF": 1}


def test_the_last_line_of_an_answer_that_broke_off_is_not_half_a_number() -> None:
    metrics, faults = read(_WHOLE + "# TYPE lag gauge\nlag 12")
    assert "lag" not in metrics
    assert faults == {"no # EOF at the end": 1}


@pytest.mark.parametrize("separator", ["\x85", "\u2028", "\u2029", "\x0b", "\x0c", "\x1c"])
def test_only_a_line_feed_ends_a_line(separator: str) -> None:
    metrics, faults = read(f'a{{b="x{separator}y"}} 1\nbad{{\nc 2\n', TEXT)
    (label,) = metrics["a"].gauge.data_points[0].attributes
    assert label.value.string_value == f"x{separator}y"
    assert ("c" in metrics, sum(faults.values())) == (True, 1)


def test_a_carriage_return_or_odd_space_never_parts_a_value_from_a_time() -> None:
    metrics, faults = read("a 1\r2\nb 1\u20282\nc 3\n", TEXT)
    assert set(metrics) == {"c"}
    assert sum(faults.values()) == 2


def test_an_exemplar_in_the_text_format_is_no_time() -> None:
    body = f'# TYPE calls_total counter\ncalls_total 10 # {{trace_id="{_TRACE}"}} 1\n'
    metrics, faults = read(body, TEXT)
    assert the_sum(metrics["calls_total"]) == (10, True, _NOW)
    assert faults == {"an exemplar in the text format": 1}


def test_a_time_in_seconds_is_none_in_the_text_format() -> None:
    metrics, faults = read("a 1 1795890000.123\nb 1 1795890000123\n", TEXT)
    assert set(metrics) == {"b"}
    assert metrics["b"].gauge.data_points[0].time_unix_nano == 1_795_890_000_123_000_000
    assert sum(faults.values()) == 1


def test_an_exemplar_goes_along_with_its_trace_and_only_once() -> None:
    body = (
        "# TYPE n counter\n"
        f'n_total{{a="new"}} 2 # {{trace_id="{_TRACE}",k="v"}} 1.5 1795899999.5\n'
        f'n_total{{a="old"}} 2 # {{trace_id="{_TRACE}"}} 1 1795000000\n# EOF\n'
    )
    metrics = to_otlp(read_exposition(body, OPEN), SCRAPE)
    new, old = (list(m.sum.data_points[0].exemplars) for m in metrics)
    assert not old
    assert (new[0].trace_id.hex(), new[0].as_double) == (_TRACE, 1.5)
    assert new[0].time_unix_nano == 1_795_899_999_500_000_000
    assert [a.key for a in new[0].filtered_attributes] == ["k"]


NATIVE = (
    "{count:24,sum:100,schema:0,zero_threshold:0.001,zero_count:4,positive_spans:[0:2,1:2],"
    "negative_spans:[0:2,1:2],positive_deltas:[2,1,-3,3],negative_deltas:[2,1,-2,3]}"
)


def test_a_counter_of_the_text_format_keeps_its_name() -> None:
    metrics, _ = read("# TYPE errors counter\nerrors 3\n", TEXT)
    assert the_sum(metrics["errors"]) == (3, True, _NOW)


def test_a_gauge_that_is_called_created_is_no_start_time() -> None:
    body = "# TYPE jobs_total counter\njobs_total 3\n# TYPE jobs_created gauge\njobs_created 17\n"
    metrics, faults = read(body, TEXT)
    assert metrics["jobs_created"].gauge.data_points[0].as_double == 17
    assert not faults


def test_names_of_any_characters_are_read_where_they_are_quoted() -> None:
    body = '# TYPE "http.server" gauge\n{"http.server","url.path"="/a b\\n"} 0x1p-2\n'
    metrics, faults = read(body, "text/plain; version=1.0.0; escaping=allow-utf-8")
    (point,) = metrics["http.server"].gauge.data_points
    assert (point.as_double, point.attributes[0].value.string_value) == (0.25, "/a b\n")
    assert not faults


def test_a_label_without_a_value_is_no_label() -> None:
    metrics, faults = read('a{b=""} 1\na 2\n', TEXT)
    assert not metrics["a"].gauge.data_points[0].attributes
    assert faults == {"a series twice": 1}


def test_an_answer_without_a_type_is_read_by_its_end() -> None:
    metrics, _ = read(_WHOLE + "# EOF\n", "")
    assert the_sum(metrics["calls_total"]) == (7, True, _NOW)


def test_a_start_in_the_future_does_not_make_a_series_begin_after_its_point() -> None:
    body = "# TYPE n counter\nn_total 1\nn_created 1999999999\n# EOF\n"
    (point,) = read(body)[0]["n_total"].sum.data_points
    assert point.start_time_unix_nano == point.time_unix_nano


_SEEDS = (
    _WHOLE + "# EOF\n",
    f'# TYPE calls_total counter\ncalls_total{{a="b"}} 10 # {{trace_id="{_TRACE}"}} 1 2\n',
    f'# TYPE depth histogram\ndepth{{a="b"}} {NATIVE} 1795890000\n# EOF\n',
    '# TYPE h histogram\nh_bucket{le="1"} 5\nh_bucket{le="+Inf"} 6\nh_count 6\nh_sum 1\nh_created 2\n',
    '# TYPE q summary\nq{quantile="0.5"} 9\nq_count 4\nq_sum 5\n"quoted" 1\n{"a.b",c="d\\""} 1\n',
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(_SEEDS), st.randoms(use_true_random=False), st.booleans())
def test_no_mutation_of_an_exposition_is_an_error_of_ours(
    seed: str, chance: random.Random, is_open: bool
) -> None:
    characters = list(seed)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(characters))
        odd = chance.choice(
            ['"', "{", "}", "\\", "\n", " ", "#", ":", "-", "9" * 30, "\udcff", "e", ""]
        )
        characters[place : place + chance.randint(0, 3)] = [odd]
        characters = characters or [" "]
    try:
        exposition = read_exposition("".join(characters), OPEN if is_open else TEXT)
    except NotAnExposition:
        return
    for metric in to_otlp(exposition, SCRAPE):
        metric.SerializeToString()


@given(
    st.text(st.characters(exclude_characters="\n\r#"), min_size=1).filter(lambda t: t.strip(" \t"))
)
def test_any_line_costs_itself_alone(line: str) -> None:
    metrics, faults = read(f"# TYPE a counter\na_total 1\n{line}\nz 2\n", TEXT)
    assert metrics["a_total"].sum.data_points[0].as_double == 1
    assert math.isclose(metrics["z"].gauge.data_points[0].as_double, 2)
    assert len(metrics) + sum(faults.values()) == 3
