"""Lines of every form and maker become records with their message, level, time and exception."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.collectors.log_files.lines import entries, to_record


@pytest.mark.parametrize(
    ("text", "severity", "body", "logger"),
    [
        ("WARNING:tta.game:slow", 13, "slow", "tta.game"),
        ("2026-11-23 21:21:24,907 - health - ERROR - down: x", 17, "down: x", "health"),
        ("2026-11-23T21:21:24Z [error] boom", 17, "boom", ""),
        ("plain words", 9, "plain words", ""),
        ('{"message": "m", "severity": 3, "logger": "a.b"}', 17, "m", "a.b"),
        ('{"event": "m", "level": "warning", "logger": "a.b"}', 13, "m", "a.b"),
        ("{not json", 9, "{not json", ""),
        (
            "[2026-11-23 23:21:24 +0200] [7] [CRITICAL] WORKER TIMEOUT (pid:8)",
            21,
            "WORKER TIMEOUT (pid:8)",
            "",
        ),
        (
            "[2026-11-23 21:21:24 +0000] [8] [ERROR] Error handling request /x",
            17,
            "Error handling request /x",
            "",
        ),
        (
            "[2026-11-23 21:21:24 +0000] [7] [INFO] Starting gunicorn 23.0.0",
            9,
            "Starting gunicorn 23.0.0",
            "",
        ),
        ("[2026-11-23 21:21:24,907: ERROR/MainProcess] consumer lost", 17, "consumer lost", ""),
        ("2026-11-23 21:21:24.907 UTC [7] ERROR:  relation is gone", 17, "relation is gone", ""),
        ("2026-11-23 21:21:24.907 UTC [7] LOG:  checkpoint complete", 9, "checkpoint complete", ""),
        (
            "2026/11/23 21:21:24 [error] 7#7: *1 upstream timed out",
            17,
            "7#7: *1 upstream timed out",
            "",
        ),
        ("2026/11/23 21:21:24 [emerg] 7#7: bind failed", 24, "7#7: bind failed", ""),
        ("2026-11-23 21:21:24 alert sent to one", 9, "alert sent to one", ""),
        (
            "2026-11-23 21:21:24.907 | ERROR    | app.main:run:5 - request failed",
            17,
            "app.main:run:5 - request failed",
            "",
        ),
        (
            "2026-11-23T21:21:24.1Z stderr F ERROR:app.main:request failed",
            17,
            "request failed",
            "app.main",
        ),
        ("INFO:     one\r", 9, "one", ""),
    ],
)
def test_every_form_is_read(text: str, severity: int, body: str, logger: str) -> None:
    record, _ = to_record(text, 5)
    found = {a.key: a.value.string_value for a in record.attributes}
    assert (record.severity_number, record.body.string_value) == (severity, body)
    assert found.get("tta.error.logger", "") == logger


AT_NS = 1_795_468_884_000_000_000


@pytest.mark.parametrize(
    ("written", "at_ns"),
    [
        ("[2026-11-23 23:21:24 +0200] [7] [INFO] x", AT_NS),
        ("[2026-11-23 21:21:24 +0000] [7] [INFO] x", AT_NS),
        ("2026-11-23T18:21:24-03:00 x", AT_NS),
        ("2026/11/23 21:21:24 x", AT_NS),
        ("2026-11-23 21:21:24 UTC [7] LOG:  x", AT_NS),
        ("2026-11-23T21:21:24.123456789Z stdout F x", AT_NS + 123_456_000),
        ('{"msg": "x", "time": 1795468884000}', AT_NS),
        ('{"msg": "x", "ts": 1795468884.25}', AT_NS + 250_000_000),
        ('{"msg": "x", "ts": 1795468884}', AT_NS),
        ('{"msg": "x", "@timestamp": "2026-11-23T21:21:24.000Z"}', AT_NS),
        ('{"MESSAGE": "x", "__REALTIME_TIMESTAMP": "1795468884000000"}', AT_NS),
        ('{"msg": "x", "time": "soon"}', 5),
        ('{"msg": "x", "time": 7}', 5),
        ('{"msg": "x", "time": 1e300}', 5),
        ('{"msg": "x", "timestamp": "9999-12-31T23:59:59-14:00"}', 5),
        ("plain", 5),
    ],
)
def test_the_time_is_read_with_its_zone_and_unit(written: str, at_ns: int) -> None:
    assert to_record(written, 5)[0].time_unix_nano == at_ns


DOCKER = {
    "log": "ERROR:app.main:request failed\n",
    "stream": "stderr",
    "time": "2026-11-23T21:21:24Z",
}

LOGURU = {
    "text": "2026-11-23 21:21:24.000 | ERROR    | app.main:run:5 - request failed\n",
    "record": {
        "level": {"name": "ERROR", "no": 40}, "message": "request failed", "name": "app.main",
        "time": {"repr": "2026-11-23 21:21:24.000000+00:00", "timestamp": 1795468884.0},
        "exception": None,
    },
}  # fmt: skip

PINO = {
    "level": 50, "time": 1795468884000, "pid": 7, "msg": "request failed",
    "err": {"type": "TypeError", "message": "no x", "stack": "TypeError: no x\n    at f (/app/a.js:10:5)"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("values", "severity"),
    [
        (PINO, 17),
        ({"level": "error", "ts": 1795468884.0, "msg": "request failed", "error": "refused"}, 17),
        (LOGURU, 17),
        (DOCKER, 17),
        ({"log": '{"level":50,"time":1795468884000,"msg":"request failed"}\n', "stream": "stdout"}, 17),
        ({"@timestamp": "2026-11-23T21:21:24Z", "message": "request failed", "log.level": "ERROR"}, 17),
        ({"@timestamp": "2026-11-23T21:21:24Z", "message": "request failed", "log": {"level": "error"}}, 17),
        ({"asctime": "2026-11-23 21:21:24,000", "levelname": "CRITICAL", "message": "request failed"}, 21),
        ({"time": 1795468884, "levelno": 30, "message": "request failed"}, 13),
        ({"MESSAGE": "request failed", "PRIORITY": "3", "__REALTIME_TIMESTAMP": "1795468884000000"}, 17),
        ({"short_message": "request failed", "level": 4, "timestamp": 1795468884.0}, 13),
        ({"severity": "WARNING", "time": "2026-11-23T21:21:24Z", "jsonPayload": {"message": "request failed"}}, 13),
    ],
)  # fmt: skip
def test_json_of_every_maker_has_its_message_level_and_time(values: dict, severity: int) -> None:
    record, _ = to_record(json.dumps(values), AT_NS)
    assert record.body.string_value == "request failed"
    assert (record.severity_number, record.time_unix_nano) == (severity, AT_NS)


def test_an_error_object_of_json_keeps_its_type_message_and_stack() -> None:
    record, _ = to_record(json.dumps(PINO), 5)
    found = {a.key: a.value.string_value for a in record.attributes}
    assert (found["exception.type"], found["exception.message"]) == ("TypeError", "no x")
    assert "/app/a.js:10:5" in found["exception.stacktrace"]


@pytest.mark.parametrize(
    "text", ['{"foo": 1}', "{}", '{"message": null}', '{"msg": {"a": 1}}', '{"msg": ""}']
)
def test_json_without_a_message_is_kept_as_it_stands(text: str) -> None:
    assert to_record(text, 5)[0].body.string_value == text


def test_an_exception_in_ttas_json_log_keeps_type_trace_and_ids() -> None:
    record, component = to_record(
        '{"message": "Request failed", "severity": 3, "service": "player-experience-interface",'
        ' "timestamp": "2026-11-23T21:21:24.907519Z", "context": {"session_id": "s1"},'
        ' "exception_info": {"type": "ValueError", "message": "bad",'
        ' "traceback": "Traceback (most recent call last):\\n  File \\"a.py\\", line 1, in f\\nValueError: bad\\n"}}',
        5,
    )
    found = {a.key: a.value.string_value for a in record.attributes}
    assert component == "player-experience-interface"
    assert (found["exception.type"], found["session_id"]) == ("ValueError", "s1")
    assert record.time_unix_nano == 1_795_468_884_907_519_000
    assert "line 1, in f" in found["exception.stacktrace"]


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)

NAMES = (
    "message msg time ts timestamp level levelno severity err error exception exc_info record log stream"
    " service logger trace_id PRIORITY short_message jsonPayload context stack text"
).split()


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(st.sampled_from(NAMES), ANY_JSON, max_size=8))
def test_any_json_is_a_record_that_says_something(values: dict) -> None:
    record, _ = to_record(json.dumps(values), 5)
    assert record.body.string_value
    assert 0 < record.time_unix_nano < 2**63
    record.SerializeToString()


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_entries_that_follow_each_other_without_a_hole(data: bytes) -> None:
    found = list(entries(data, 100))
    assert [e.start for e in found[1:]] == [e.end for e in found[:-1]]
    assert not found or found[0].start == 100
    for entry in found:
        to_record(entry.text, 1)
