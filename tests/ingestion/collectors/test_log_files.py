"""Log files: nothing lost, nothing twice, tracebacks whole; through rotation, restarts and crashes."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from ingestion.collectors.log_files import LogTail
from ingestion.collectors.log_lines import entries, to_record
from ingestion.door import SendFailed
from ingestion.settings import LogFiles
from privacy.keys import KeyStore

TRACE = (
    "ERROR:    Exception in ASGI application\n"
    "Traceback (most recent call last):\n"
    '  File "/srv/tta/src/game/a.py", line 3, in go\n'
    "    raise ValueError(1)\n"
    "ValueError: 1\n"
    "\n"
    "During handling of the above exception, another exception occurred:\n"
    "\n"
    "Traceback (most recent call last):\n"
    '  File "/srv/tta/src/game/b.py", line 4, in run\n'
    "    raise SceneError\n"
    "game.SceneError: gone\n"
)


class Tail:
    """A tail over a folder with a clock of its own and a receiver that remembers."""

    def __init__(self, home: Path, keys: KeyStore) -> None:
        self.home, self.keys = home, keys
        self.folder = home / "logs"
        self.folder.mkdir()
        self.file = self.folder / "api.log"
        self.now = 1_795_469_743.0
        self.bodies: list[bytes] = []
        self.is_down = False
        self.restart()

    def restart(self) -> None:
        files = [LogFiles(glob=str(self.folder / "*.log"))]
        self.tail = LogTail(self.home, self.keys, files, self._send, clock=lambda: self.now)

    def _send(self, body: bytes) -> None:
        if self.is_down:
            raise SendFailed("down")
        self.bodies.append(body)

    def write(self, text: str) -> None:
        with self.file.open("a") as file:
            file.write(text)

    def settle(self) -> list[str]:
        for _ in range(4):
            self.tail.step()
            self.now += 1
        return self.received()

    def received(self) -> list[str]:
        """Texts, each body once, as the receiver counts."""
        return [r.body.string_value for b in dict.fromkeys(self.bodies) for r in records(b)]


def records(body: bytes) -> list:
    request = ExportLogsServiceRequest.FromString(body)
    return [r for e in request.resource_logs for s in e.scope_logs for r in s.log_records]


@pytest.fixture
def tail(home: Path, keys: KeyStore) -> Tail:
    return Tail(home, keys)


def test_lines_are_sent_once_and_a_restart_goes_on_where_it_stopped(tail: Tail) -> None:
    tail.write("INFO:     one\nINFO:     two\n")
    assert tail.settle() == ["one", "two"]
    tail.restart()
    tail.write("INFO:     three\n")
    assert tail.settle() == ["one", "two", "three"]


def test_a_line_without_its_end_waits(tail: Tail) -> None:
    tail.write("INFO:     one\nINFO:     tw")
    assert tail.settle() == ["one"]
    tail.write("o\n")
    assert tail.settle() == ["one", "two"]


def test_a_traceback_that_comes_in_pieces_stays_whole(tail: Tail) -> None:
    for at in range(0, len(TRACE), 37):
        tail.write(TRACE[at : at + 37])
        tail.tail.step()
        tail.now += 0.3
    tail.settle()
    [record] = [r for b in tail.bodies for r in records(b)]
    found = {a.key: a.value.string_value for a in record.attributes}
    assert found["exception.type"] == "game.SceneError"
    assert found["exception.stacktrace"].count("Traceback") == 2
    assert record.severity_number == 17


def test_rotation_loses_nothing_and_repeats_nothing(tail: Tail) -> None:
    tail.write("INFO:     one\n")
    tail.settle()
    tail.write("INFO:     last of the old\n")
    tail.file.rename(tail.folder / "api.log.1")
    tail.write("INFO:     first of the new\n")
    (tail.folder / "api.log.2.gz").write_bytes(gzip.compress(b"INFO:     packed\n"))
    tail.restart()
    assert tail.settle() == ["one", "last of the old", "first of the new"]


def test_a_file_cut_to_nothing_is_read_from_its_start(tail: Tail) -> None:
    tail.write("INFO:     a long first line of the file\n")
    tail.settle()
    tail.file.write_text("")
    tail.settle()
    tail.write("INFO:     anew\n")
    assert tail.settle()[-1] == "anew"
    tail.file.write_text("INFO:     another file of a greater length than before\n")
    assert tail.settle()[-1] == "another file of a greater length than before"


def test_a_crash_between_sending_and_remembering_repeats_the_same_bytes(tail: Tail) -> None:
    tail.write("INFO:     one\nno time, no level\n")
    real, tail.tail._keep = tail.tail._keep, None
    kept = []

    def only_plans(path, position):
        kept.append(position)
        if not position.pending_end:
            raise KeyboardInterrupt
        real(path, position)

    tail.tail._keep = only_plans
    with pytest.raises(KeyboardInterrupt):
        tail.settle()
    tail.now += 100
    tail.restart()
    tail.settle()
    assert len(tail.bodies) == 2 and tail.bodies[0] == tail.bodies[1]


def test_what_the_receiver_does_not_take_is_sent_later(tail: Tail) -> None:
    tail.is_down = True
    tail.write("INFO:     one\n")
    assert tail.settle() == []
    tail.is_down = False
    assert tail.settle() == ["one"]


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
    ],
)
def test_every_form_is_read(text: str, severity: int, body: str, logger: str) -> None:
    record, _ = to_record(text, 5)
    found = {a.key: a.value.string_value for a in record.attributes}
    assert (record.severity_number, record.body.string_value) == (severity, body)
    assert found.get("tta.error.logger", "") == logger


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


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_entries_that_follow_each_other_without_a_hole(data: bytes) -> None:
    found = list(entries(data, 100))
    assert [e.start for e in found[1:]] == [e.end for e in found[:-1]]
    assert not found or found[0].start == 100
    for entry in found:
        to_record(entry.text, 1)
