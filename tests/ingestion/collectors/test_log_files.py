"""Log files: nothing lost, nothing twice, tracebacks whole; through rotation, restarts and crashes."""

import gzip
from pathlib import Path

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from ingestion.collectors.log_files.file_tail import LogTail
from ingestion.collectors.own_settings import FollowedFiles
from ingestion.doors.own_receiver import SendFailed, SendRefused
from privacy.keys.key_store import KeyStore

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
        self.told: list[bytes] = []
        self.is_down = False
        self.refuses = b""
        self.restart()

    def restart(self) -> None:
        files = [FollowedFiles(glob=str(self.folder / "*.log"))]
        self.tail = LogTail(
            self.home, self.keys, files, self._send, tell=self._hear, clock=lambda: self.now
        )

    def _hear(self, body: bytes) -> None:
        self.told.append(body)

    def dropped(self) -> dict[tuple[str, str], int]:
        """What it said that it could not use, by signal and reason."""
        found: dict[tuple[str, str], int] = {}
        for body in dict.fromkeys(self.told):
            (resource,) = ExportMetricsServiceRequest.FromString(body).resource_metrics
            (metric,) = resource.scope_metrics[0].metrics
            for point in metric.sum.data_points:
                signal, reason = (a.value.string_value for a in point.attributes)
                found[signal, reason] = found.get((signal, reason), 0) + point.as_int
        return found

    def _send(self, body: bytes) -> None:
        if self.is_down:
            raise SendFailed("down")
        if self.refuses and self.refuses in body:
            raise SendRefused("413")
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


def test_the_last_line_of_a_rotated_file_needs_no_end(tail: Tail) -> None:
    tail.write("INFO:     one\nINFO:     half a li")
    tail.settle()
    tail.file.rename(tail.folder / "api.log.1")
    tail.write("INFO:     new\n")
    tail.is_down = True
    tail.settle()
    tail.is_down = False
    tail.restart()
    assert tail.settle() == ["one", "half a li", "new"]


def test_entries_that_say_nothing_are_told_as_dropped(tail: Tail) -> None:
    tail.write("\n\nINFO:     one\n\n")
    assert tail.settle() == ["one"]
    assert tail.dropped() == {("logs", "an_empty_log_entry"): 1}


def test_of_a_line_of_megabytes_the_begin_is_kept_and_the_rest_is_told(tail: Tail) -> None:
    tail.write("x" * (1024 * 1024) + "y" * 10 + "\nINFO:     next\n")
    tail.is_down = True
    tail.settle()
    tail.is_down = False
    tail.restart()
    found = tail.settle()
    assert [text[:10] for text in found] == ["x" * 10, "y" * 10, "next"]
    assert tail.dropped() == {("logs", "the_rest_of_a_line_of_a_megabyte"): 1}


def test_what_is_refused_together_is_sent_in_halves_and_only_the_bad_entry_is_lost(
    tail: Tail,
) -> None:
    lines = [f"INFO:     line {n}" for n in range(20)]
    lines[7] = "INFO:     refused"
    tail.refuses = b"refused"
    tail.write("\n".join(lines) + "\n")
    wanted = [line.removeprefix("INFO:     ") for line in lines if "refused" not in line]
    assert tail.settle() == wanted
    tail.write("INFO:     after\n")
    assert tail.settle() == [*wanted, "after"]


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


def test_a_carriage_return_ends_no_line(tail: Tail) -> None:
    tail.write("INFO:     start\n  0%|   | 0/3\r100%|###| 3/3\nERROR:     no index\n")
    assert [body.split("\n")[0] for body in tail.settle()] == ["start", "no index"]
    tail.write("bar \r\r bar\r\nERROR:     later\n")
    assert "later" in tail.settle()
