"""Errors in the hot window: once each, grouped, kept across restarts, told to alert rules."""

from datetime import UTC, datetime, timedelta

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ingestion.meaning.errors.group_states import State
from ingestion.meaning.errors.group_store import ErrorStore
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings
from ingestion.spool import Spool
from live_tail.window.error_groups import HotErrors
from live_tail.window.follow import Follower
from live_tail.window.window import Window
from privacy.keys.key_store import KeyStore

STACK = (
    "Traceback (most recent call last):\n"
    '  File "/srv/tta/src/game/scenes.py", line {line}, in next_scene\n'
    "    raise SceneError(1)\n"
    "game.errors.SceneError: scene {value} is gone\n"
)
NOW = datetime.now(UTC).replace(microsecond=0)


def attributes(target, **values: str) -> None:
    for name, value in values.items():
        target.attributes.add(key=name.replace("__", ".")).value.string_value = value


def exception(target, *, line: int = 10, value: str = "42") -> None:
    attributes(
        target,
        exception__type="game.errors.SceneError",
        exception__message=f"scene {value} is gone",
        exception__stacktrace=STACK.format(line=line, value=value),
    )


def span_body(
    *,
    number: int = 1,
    at: datetime = NOW,
    version: str = "1.0.0",
    service: str = "player-api",
    **of_exception,
) -> Incoming:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    attributes(resource.resource, service__name=service, service__version=version)
    span = resource.scope_spans.add().spans.add(
        trace_id=number.to_bytes(16, "big"), span_id=number.to_bytes(8, "big"), name="POST /chat",
        start_time_unix_nano=int(at.timestamp() * 1e9), end_time_unix_nano=int(at.timestamp() * 1e9) + 5,
    )  # fmt: skip
    span.status.code = 2
    attributes(span, http__route="/api/v1/chat", session__id="someone")
    event = span.events.add(name="exception", time_unix_nano=int(at.timestamp() * 1e9))
    exception(event, **of_exception)
    return Incoming("spans", request.SerializeToString())


def log_body(*, number: int = 1, at: datetime = NOW, **of_exception) -> Incoming:
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    attributes(resource.resource, service__name="player-api")
    record = resource.scope_logs.add().log_records.add(
        trace_id=number.to_bytes(16, "big"), span_id=number.to_bytes(8, "big"),
        time_unix_nano=int(at.timestamp() * 1e9), severity_number=17, event_name="chat.exception",
    )  # fmt: skip
    exception(record, **of_exception)
    return Incoming("logs", request.SerializeToString())


class Live:
    """A live tail over a home, as its process builds it."""

    def __init__(self, settings: Settings, keys: KeyStore, now: datetime = NOW) -> None:
        self.now = now
        self.store = ErrorStore(settings.home, keys)
        self.window = Window(
            minutes=60, max_errors=100, clock=lambda: self.now, hot_errors=HotErrors(self.store)
        )
        self.follower = Follower(Spool(settings.spool_path, keys), self.window)
        self.catch_up()

    def catch_up(self) -> None:
        while self.follower.step():
            pass

    def rows(self) -> list[tuple]:
        sql = "SELECT group_key, count(*) FROM hot_error_groups GROUP BY 1 ORDER BY 1"
        return self.window.cursor().execute(sql).fetchall()

    def noteworthy(self) -> dict[State, list[str]]:
        found = self.window.errors.noteworthy(self.window.cursor(), self.window.now())
        return {g.state: [x.key for x in found if x.state is g.state] for g in found}


def test_the_same_exception_as_span_event_and_as_log_counts_once(
    pipeline: Pipeline, settings: Settings, keys: KeyStore
) -> None:
    pipeline.process([span_body(), log_body(), log_body(number=2)])
    live = Live(settings, keys)
    assert [count for _, count in live.rows()] == [2]


def test_a_round_that_failed_behind_the_errors_has_them_when_it_is_tried_again(
    pipeline: Pipeline, settings: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = Live(settings, keys)
    pipeline.process([span_body(), log_body()])
    with monkeypatch.context() as patch:
        patch.setattr(live.window.history, "count", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            live.follower.step()
    assert live.rows() == []
    live.catch_up()
    assert [count for _, count in live.rows()] == [1]


def test_lines_and_values_do_not_split_a_group_and_a_new_group_is_told_with_its_labels(
    pipeline: Pipeline, settings: Settings, keys: KeyStore
) -> None:
    pipeline.process([span_body(number=n, line=n, value=str(n)) for n in range(1, 6)])
    live = Live(settings, keys)
    [(key, count)] = live.rows()
    [told] = live.window.errors.noteworthy(live.window.cursor(), live.window.now())
    assert (told.key, told.count, count, told.state) == (key, 5, 5, State.NEW)
    assert dict(told.labels)["is_content_delivery"] == "true"
    assert told.title == "SceneError: scene <*> is gone"
    assert told.top_frames == ("game/scenes.py next_scene",)


def test_a_restart_counts_nothing_twice(
    pipeline: Pipeline, settings: Settings, keys: KeyStore
) -> None:
    pipeline.process([span_body(number=n) for n in range(1, 4)])
    for _ in range(3):
        live = Live(settings, keys)
    assert live.store.groups()[0].count == 3
    assert [count for _, count in live.rows()] == [3]


def test_a_resolved_group_returns_only_in_a_later_release(
    pipeline: Pipeline, settings: Settings, keys: KeyStore
) -> None:
    pipeline.process([span_body(version="1.9.0")])
    live = Live(settings, keys)
    [(key, _)] = live.rows()
    live.store.resolve(key, "dev", "1.9.0")
    pipeline.process(
        [span_body(number=2, version="1.9.0"), span_body(number=3, version="1.10.0rc1")]
    )
    live.catch_up()
    assert live.store.group(key).state(live.window.now()) is State.REGRESSED
    assert live.noteworthy() == {State.REGRESSED: [key]}
    assert [(t.state, t.by) for t in live.store.transitions(key)] == [
        ("new", ""), ("resolved", "dev"), ("regressed", ""),
    ]  # fmt: skip
    live.store.mute(key, "dev")
    assert live.noteworthy() == {}


def test_merges_and_splits_by_hand_survive_a_rebuilt_window(
    pipeline: Pipeline, settings: Settings, keys: KeyStore
) -> None:
    pipeline.process([span_body(number=1), span_body(number=2, value="is locked and")])
    live = Live(settings, keys)
    [(key, _)] = live.rows()
    live.store.split(key, "message", "dev")
    live = Live(settings, keys)
    one, other = (k for k, _ in live.rows())
    pipeline.process([span_body(number=3), span_body(number=4, value="is locked and")])
    live.catch_up()
    live.store.merge([one], other, "dev")
    live = Live(settings, keys)
    assert live.rows() == [(other, 4)]


def test_errors_leave_the_window_with_their_hour(
    pipeline: Pipeline, settings: Settings, keys: KeyStore
) -> None:
    pipeline.process([span_body()])
    live = Live(settings, keys)
    live.now = NOW + timedelta(hours=2)
    live.window.tidy()
    assert live.rows() == []
    assert len(live.store.groups()) == 1


@pytest.mark.parametrize("told", ["true", "false"])
def test_the_sender_says_whether_content_was_being_delivered(told: str) -> None:
    from ingestion.meaning.errors.occurrences import is_content_delivery

    assert is_content_delivery({"tta.content.delivery": told}, "/api/v1/chat", "x") is (
        told == "true"
    )
