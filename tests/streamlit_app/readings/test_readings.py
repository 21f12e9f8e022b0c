"""What pages read: with data and without, and the same from the live window and from the marts."""

import math
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from starlette.testclient import TestClient

from dagster_project.process.build import run_build
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.receivers.doors.http import PATHS
from ingestion.settings import Settings, load_settings
from ingestion.spool import Spool
from live_tail.http.client import LiveAnswer, LiveUnavailable
from live_tail.http.live_api import build_app
from live_tail.window.follow import Follower
from live_tail.window.window import Window
from privacy.keys.key_store import KeyStore
from streamlit_app.readings import (
    ai_models,
    databases,
    errors,
    logs,
    machines,
    ranges,
    releases,
    requests,
    source,
    traces,
    websockets,
)
from streamlit_app.readings.arriving import tail
from streamlit_app.readings.source import Reading
from streamlit_app.sign_in import permission
from streamlit_app.view import View
from tests.conftest import CAPTURE
from tests.live_tail.window.recent.test_recent import NOW, records, request_of, spans
from tta_monitor.traffic.replay import read_capture, shifted

MODEL = {
    "gen_ai__operation__name": "chat", "gen_ai__request__model": "mistral-small",
    "gen_ai__usage__input_tokens": 1_000, "gen_ai__usage__output_tokens": 200,
    "gen_ai__usage__cache_read__input_tokens": 400, "gen_ai__response__time_to_first_chunk": "0.25",
}  # fmt: skip
STATEMENT = {"db__system": "postgresql", "db__statement": "SELECT name FROM scenes WHERE id = ?"}
SOCKET = {"url__scheme": "ws", "tta__websocket__close_code": 1006, "http__route": "/ws",
          "tta__websocket__messages__sent": 5, "tta__websocket__bytes__sent": 640}  # fmt: skip
RANGE = View(
    NOW.replace(second=0) - timedelta(minutes=58),
    NOW.replace(second=0) + timedelta(minutes=2),
    None,
)


class Answers:
    """The live tail's client over an application in this process."""

    def __init__(self, window: Window, follower: Follower) -> None:
        self._http = TestClient(build_app(window, follower))

    def query(self, name: str, **parameters: Any) -> LiveAnswer:
        answer = self._http.get(f"/api/v1/query/{name}", params=parameters)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        return LiveAnswer(body["name"], body["as_of"], body["lag_ms"], body["rows"])

    def get(self, path: str) -> dict[str, Any]:
        raise LiveUnavailable(path)


def _sent() -> list[Incoming]:
    bodies = shifted(read_capture(CAPTURE), NOW.timestamp())
    calls = [
        {"number": 700 + n, "trace": b"\xab" + (700 + n).to_bytes(15, "big"), "kind": 3, "ms": 100 + n,
         "name": "chat", "attributes": MODEL | ({"error__type": "RateLimit"} if n % 9 == 0 else {})}
        for n in range(90)
    ]  # fmt: skip
    statements = [
        {"number": 900 + n, "trace": b"\xab" + (900 + n).to_bytes(15, "big"), "kind": 3, "ms": 3, "name": "SELECT",
         "attributes": STATEMENT}
        for n in range(5)
    ]  # fmt: skip
    socket = {"number": 950, "ms": 30_000, "name": "/ws", "attributes": SOCKET}
    return [
        *(Incoming(PATHS[body.path], body.body) for body in bodies),
        spans(*calls, *statements, socket, service="agent", version="2.0.0"),
        spans(request_of(960, ms=900, is_error=True, trace=(960).to_bytes(16, "big"))),
        spans({"number": 961, "parent": 960, "trace": (960).to_bytes(16, "big"), "kind": 3,
               "attributes": STATEMENT}),
        records("scene 12 was told", "scene 13 was told", severity=17, trace=(960).to_bytes(16, "big")),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with the capture and a few calls, built."""
    folder = tmp_path_factory.mktemp("readings") / "home"
    folder.mkdir()
    keys = KeyStore.open(folder, create=True)
    settings = load_settings(folder)
    pipeline = Pipeline(Spool(settings.spool_path, keys), keys)
    sent = _sent()
    for start in range(0, len(sent), 64):
        pipeline.process(sent[start : start + 64])
    report = run_build(settings)
    assert report.ok, report
    return settings


@pytest.fixture(autouse=True)
def everybody_may(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(permission, "require_of_viewer", lambda *_: None)
    monkeypatch.setattr(permission, "may_read", lambda *_: True)
    source._marts.clear()
    yield
    source._marts.clear()


@pytest.fixture(scope="module")
def answers(filled: Settings) -> Answers:
    spool = Spool(filled.spool_path, KeyStore.open(filled.home))
    window = Window(minutes=60, max_errors=100, clock=lambda: datetime.now(UTC))
    follower = Follower(spool, window)
    while follower.step():
        pass
    window.tidy()
    return Answers(window, follower)


@pytest.fixture
def full(filled: Settings, answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "settings", lambda: filled)
    monkeypatch.setattr(source, "client", lambda: answers)


@pytest.fixture
def empty(settings: Settings, spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    window = Window(minutes=60, max_errors=100, clock=lambda: datetime.now(UTC))
    answers = Answers(window, Follower(spool, window))
    monkeypatch.setattr(source, "settings", lambda: settings)
    monkeypatch.setattr(source, "client", lambda: answers)


QUESTIONS: dict[str, Callable[[View], Reading]] = {
    "summary": requests.summary,
    "by_component": requests.by_component,
    "latency": requests.latency,
    "statuses": requests.statuses,
    "heat": requests.heat,
    "routes": requests.routes,
    "models": ai_models.models,
    "callers": ai_models.callers,
    "ai over time": ai_models.over_time,
    "ai errors": ai_models.errors,
    "recoveries": ai_models.recoveries,
    "statements": databases.statements,
    "sockets": websockets.by_route,
    "closes": websockets.closes,
    "open": websockets.open_by_minute,
    "patterns": lambda view: logs.patterns(view, limit=1_000),
    "log counts": logs.counts,
    "hosts": machines.hosts,
    "error groups": errors.groups_of,
    "exemplars": lambda view: traces.exemplars(view, "request"),
    "lines": logs.lines,
    "errors over time": errors.trend_of,
}
# Their grain differs between the speeds: ten minutes or one, hours, samples.
_ALIKE = {"exemplars", "lines", "errors over time", "hosts"}
_ONLY_MARTS: dict[str, Callable[[View], Reading]] = {
    "pools": databases.pools,
    "pools over time": databases.pools_over_time,
    "processes": machines.processes,
}


def both(
    question: Callable[[View], Reading], view: View, monkeypatch: pytest.MonkeyPatch
) -> tuple[Reading, Reading]:
    found = []
    for is_live in (True, False):
        monkeypatch.setattr(ranges, "is_live", lambda _, told=is_live: told)
        found.append(question(view))
    return found[0], found[1]


def comparable(frame: pd.DataFrame) -> list[dict[str, Any]]:
    shown = frame.copy()
    for column in shown.columns:
        if column.endswith("_at"):
            shown[column] = pd.to_datetime(shown[column], utc=True).astype(str)
    shown = shown.astype(object).where(shown.notna(), None)
    rows = [
        {k: sorted(v) if k == "components" else v for k, v in row.items()}
        for row in shown.to_dict("records")
    ]
    return sorted(rows, key=lambda row: [str(v) for v in row.values() if not isinstance(v, float)])


def is_same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-9)
    return one == other


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in QUESTIONS if n not in _ALIKE])
def test_a_question_has_the_same_answer_from_the_window_and_from_the_marts(
    name: str, full: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Five-second buckets begin and end with whole minutes here.
    hot, cold = both(QUESTIONS[name], RANGE, monkeypatch)
    assert not hot.problem and not cold.problem
    assert len(hot.frame) > 0, name
    shared = [c for c in hot.frame.columns if c in set(cold.frame.columns)]
    assert len(shared) >= 3
    one, other = (comparable(pd.DataFrame(r.frame[shared])) for r in (hot, cold))
    assert len(one) == len(other)
    for row, same in zip(one, other, strict=True):
        assert [c for c in shared if not is_same(row[c], same[c])] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [*QUESTIONS, *_ONLY_MARTS])
def test_an_answer_says_where_it_comes_from_and_can_be_asked_again(
    name: str, full: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = (QUESTIONS | _ONLY_MARTS)[name]
    hot, cold = both(question, RANGE, monkeypatch)
    assert cold.source == "marts" and cold.as_of and "SELECT" in cold.sql
    assert "$" not in cold.sql.replace("'$'", "")
    again = source.marts(cold.sql)
    assert len(again.frame) >= len(cold.frame) or name == "summary"
    if name in QUESTIONS:
        assert (hot.source, hot.name != "") == ("live", True) and hot.as_of
        assert hot.parameters["start_at"] == int(RANGE.start_at.timestamp())


@pytest.mark.parametrize("name", [*QUESTIONS, *_ONLY_MARTS])
def test_without_data_an_answer_is_empty_or_says_why(
    name: str, empty: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = (QUESTIONS | _ONLY_MARTS)[name]
    hot, cold = both(question, RANGE, monkeypatch)
    assert cold.problem and cold.frame.empty
    if name == "summary":
        assert hot.frame.iloc[0].isna().all()
    elif name in QUESTIONS:
        assert hot.frame.empty and not hot.problem


@pytest.mark.slow
def test_what_costs_money_is_told_for_models_with_a_price(
    full: None, filled: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    price = {
        "currency": "EUR",
        "models": {"mistral-small": {"input": 1, "output": 10, "cached": 0.5}},
    }
    priced = filled.model_copy(update={"prices": type(filled.prices).model_validate(price)})
    monkeypatch.setattr(source, "settings", lambda: priced)
    hot, cold = both(ai_models.models, RANGE, monkeypatch)
    for reading in (hot, cold):
        rows = reading.frame.set_index("model")
        told = rows.loc["mistral-small"]
        assert told["cost"] == pytest.approx(90 * (600 * 1 + 400 * 0.5 + 200 * 10) / 1e6)
        assert (told["currency"], told["first_chunk_ms"], told["error_count"]) == ("EUR", 250, 10)
        assert told["p95_low_ms"] < told["p95_ms"] and pd.isna(told["p95_high_ms"])
        others = rows.drop("mistral-small")
        assert others["cost"].isna().all()


@pytest.mark.slow
def test_a_trace_is_told_by_the_window_and_when_that_forgot_it_by_the_marts(
    full: None, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = (960).to_bytes(16, "big").hex()
    hot = [ask(wanted) for ask in (traces.spans, traces.logs, traces.errors)]
    assert [r.source for r in hot] == ["live"] * 3
    real = answers.query

    def forgot(name: str, **asked: Any) -> LiveAnswer:
        answer = real(name, **asked)
        return LiveAnswer(answer.name, answer.as_of, 0, [])

    monkeypatch.setattr(answers, "query", forgot)
    cold = [ask(wanted) for ask in (traces.spans, traces.logs, traces.errors)]
    assert [r.source for r in cold] == ["marts"] * 3
    for one, other in zip(hot, cold, strict=True):
        shared = [c for c in one.frame.columns if c in set(other.frame.columns) and c != "events"]
        assert len(one.frame) > 0
        one_rows, other_rows = (comparable(pd.DataFrame(r.frame[shared])) for r in (one, other))
        assert one_rows == other_rows
    assert list(cold[0].frame["parent_span_id"].notna()) == [False, True]
    assert cold[0].frame.iloc[0]["attributes"]["http.route"] == "/scenes/{id}"


@pytest.mark.slow
def test_from_an_error_group_to_its_traces_and_back(
    full: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (key,) = set(traces.errors((960).to_bytes(16, "big").hex()).frame["group_key"])
    for reading in both(lambda view: traces.of_error_group(view, key), RANGE, monkeypatch):
        assert set(reading.frame["trace_id"]) == {(960).to_bytes(16, "big").hex()}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["request", "ai_call", "db"])
def test_an_exemplar_says_the_same_in_both_speeds(
    kind: str, full: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    hot, cold = both(lambda view: traces.exemplars(view, kind, limit=200), RANGE, monkeypatch)
    columns = [c for c in cold.frame.columns if c in set(hot.frame.columns)]
    assert len(columns) >= 15
    known = {
        (row["span_id"], row["name"]): row for row in comparable(pd.DataFrame(hot.frame[columns]))
    }
    rows = comparable(pd.DataFrame(cold.frame[columns]))
    told = [(row, known[key]) for row in rows if (key := (row["span_id"], row["name"])) in known]
    # Of a minute others may be among the best than of ten; the limit cuts both.
    assert len(told) >= min(3, len(rows)) > 0
    for row, same in told:
        assert [c for c in columns if not is_same(row[c], same[c])] == []


def test_what_is_no_trace_id_is_refused(empty: None) -> None:
    with pytest.raises(ValueError, match="32 hexadecimal"):
        traces.spans("../etc")


@pytest.mark.slow
def test_a_route_is_compared_with_itself_before(
    full: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    latest = RANGE.but(start_at=RANGE.end_at - timedelta(minutes=11))
    hot, cold = both(requests.routes, latest, monkeypatch)
    for reading in (hot, cold):
        known = reading.frame["previous_p95_ms"].notna()
        assert known.any() and not known.all()
        rows = reading.frame[known]
        change = 100 * (rows["p95_ms"] / rows["previous_p95_ms"] - 1)
        assert list(rows["p95_change_pct"]) == pytest.approx(list(change))


@pytest.mark.slow
def test_a_release_is_compared_in_the_time_when_it_was_heard(full: None) -> None:
    known = releases.known().frame
    assert {("agent", "2.0.0"), ("api", "1.0.0")} <= set(
        zip(known["component"], known["version"], strict=True)
    )
    same = releases.compared(RANGE.but(compare="release:2.0.0"))
    assert same == RANGE.but(version="2.0.0")
    later = RANGE.but(
        start_at=RANGE.end_at + timedelta(days=1),
        end_at=RANGE.end_at + timedelta(days=1, minutes=5),
    )
    then = releases.compared(later.but(compare="release:2.0.0"))
    assert then is not None and then.end_at < RANGE.end_at and then.length == later.length
    assert releases.compared(RANGE) is None
    before = releases.compared(RANGE.but(compare="previous"))
    assert before is not None and before.end_at == RANGE.start_at


@pytest.mark.slow
def test_only_later_releases_are_marks(full: None, monkeypatch: pytest.MonkeyPatch) -> None:
    times = pd.to_datetime([NOW - timedelta(minutes=30), NOW - timedelta(minutes=10)], utc=True)
    rows = pd.DataFrame({"component": "api", "version": ["1", "2"], "environment": "",
                         "first_seen_at": times, "last_seen_at": times})  # fmt: skip
    monkeypatch.setattr(releases, "known", lambda _: Reading(rows))
    assert list(releases.marks(RANGE)["label"]) == ["api 2"]
    assert releases.marks(RANGE.but(end_at=RANGE.start_at + timedelta(minutes=1))).empty


@pytest.mark.slow
def test_whatever_has_a_name_is_found_here_or_in_the_marts(full: None) -> None:
    def found(words: str) -> list[tuple[str, str]]:
        frame = tail.search(words).frame
        return list(zip(frame["kind"], frame["key"], strict=True))

    assert found("mistral")[0] == ("model", "mistral-small")
    assert ("route", "/scenes/{id}") in found("scenes")
    assert ("trace", (960).to_bytes(16, "big").hex()) in found((960).to_bytes(16, "big").hex())
    assert found("") == [] == found("nothing of that name")


@pytest.mark.slow
def test_the_tail_follows_a_view(full: None) -> None:
    rows = tail.newest(RANGE.but(component="agent", model="mistral-small"), "ai_calls").frame
    assert set(rows["model"]) == {"mistral-small"} and len(rows) == 90
    assert tail.newest(RANGE, "ai_calls", after=rows["event_at"].max()).frame.empty


@pytest.mark.slow
def test_a_question_to_the_marts_is_answered_quickly(
    full: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "is_live", lambda _: False)
    for name, question in QUESTIONS.items():
        source._marts.clear()
        began = time.process_time()
        question(RANGE)
        assert time.process_time() - began < 1.5, name


def test_a_range_of_marts_holds_whole_minutes() -> None:
    view = View(
        datetime(2026, 3, 1, 12, 0, 7, tzinfo=UTC), datetime(2026, 3, 1, 12, 30, 1, tzinfo=UTC)
    )
    bound = ranges.bound(view, "component")
    assert bound == {
        "start": datetime(2026, 3, 1, 12), "end": datetime(2026, 3, 1, 12, 31), "component": None,
    }  # fmt: skip
    assert ranges.asked(view)["end_at"] is None
    assert ranges.asked(view.but(end_at=view.end_at))["end_at"] == int(view.end_at.timestamp())


def test_a_statement_with_its_parameters_written_out_cannot_be_left_by_a_quote() -> None:
    told = source.told(
        "SELECT $a, $b, $c, $d", {"a": "x' OR '1", "b": None, "c": datetime(2026, 3, 1), "d": 5}
    )
    assert told == "SELECT 'x'' OR ''1', NULL, TIMESTAMP '2026-03-01 00:00:00', 5"
