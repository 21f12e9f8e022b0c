"""Bodies that take several turns: who goes first, what is cut short, what comes twice."""

import asyncio

import pytest

from ingestion.receivers.committing.committer import Committer
from ingestion.receivers.committing.large_body import LargeBody
from ingestion.receivers.committing.pipeline import Answer, Incoming, Pipeline, TurnOver
from ingestion.receivers.decoding.budget import BodyBudget
from ingestion.spool import Spool
from privacy.keys.key_store import KeyStore
from tests.ingestion.receivers.test_hostile_bodies import (
    finished,
    large,
    logs_json,
    span_json,
    traces_json,
)
from tests.ingestion.receivers.test_receivers import landed, span_request


def test_an_innocent_request_after_a_huge_one_is_committed_before_it(
    spool: Spool, keys: KeyStore
) -> None:
    pipeline = Pipeline(spool, keys, budget=BodyBudget(work_s=3_600))
    pipeline.warm_up()
    done: list[str] = []
    lines = [f"word{n} gone to place{n * 7} with thing{n * 13}" for n in range(1_500)]
    for body in (logs_json(lines), large(logs_json([f"{line} again" for line in lines]))):
        done.clear()
        asyncio.run(_sent_together(pipeline, Incoming("logs", body, None, is_json=True), done))
        assert done == [*(f"innocent {n}" for n in range(5)), "huge"]
    assert len(landed(spool, "logs")) == 3_000
    assert len(landed(spool, "spans")) == 5


async def _sent_together(pipeline: Pipeline, huge: Incoming, done: list[str]) -> None:
    committer = Committer(pipeline, group_ms=1, max_pending_bytes=10**8)
    committer.start()

    async def send(name: str, request: Incoming) -> None:
        await committer.submit(request)
        done.append(name)

    of_huge = asyncio.create_task(send("huge", huge))
    await asyncio.sleep(0)  # it is in the queue before anybody else
    for number in range(5):
        body = span_request(span=bytes([number + 1]) * 8).SerializeToString()
        await send(f"innocent {number}", Incoming("spans", body))
    await of_huge
    await committer.close()


def test_a_body_that_is_cut_short_leaves_nothing_and_comes_again_whole(
    pipeline: Pipeline, spool: Spool
) -> None:
    request = Incoming("spans", traces_json([span_json(n) for n in range(500)]), None, is_json=True)
    killed = LargeBody(pipeline, request)
    killed.look()
    assert [killed.step() for _ in range(3)] == [None] * 3
    assert spool.last_seq() == 0
    assert finished(pipeline, request).accepted == 500
    assert finished(pipeline, request).accepted == 500
    assert len(landed(spool, "spans")) == 500
    duplicates = [r["items"] for r in landed(spool, "ledger") if r["outcome"] == "duplicate"]
    assert duplicates == [500]


def test_the_same_body_in_work_twice_is_stored_once(pipeline: Pipeline, spool: Spool) -> None:
    request = Incoming("spans", traces_json([span_json(n) for n in range(50)]), None, is_json=True)
    twins = [LargeBody(pipeline, request), LargeBody(pipeline, request)]
    for twin in twins:
        twin.look()
    answers: list[Answer] = []
    while len(answers) < 2:
        answers += [a for twin in twins if (a := twin.step()) is not None][: 2 - len(answers)]
    assert [a.accepted for a in answers] == [50, 50]
    assert len(landed(spool, "spans")) == 50


def test_work_beyond_the_limit_is_429_and_the_next_try_goes_on_from_memory(
    spool: Spool, keys: KeyStore
) -> None:
    seconds = iter(range(10**6))
    pipeline = Pipeline(spool, keys, budget=BodyBudget(work_s=12))
    pipeline.warm_up()
    lines = [f"word{n} went to place{n * 7}" for n in range(400)]
    request = Incoming("logs", logs_json(lines), None, is_json=True)
    body = LargeBody(pipeline, request, clock=lambda: float(next(seconds)))
    body.look()
    while (answer := body.step()) is None:
        pass
    assert answer.http_status in {413, 429}
    assert "receiver.max_body_work_s" in answer.error
    assert landed(spool, "logs") == []
    assert finished(pipeline, request).accepted == 400


def test_json_of_more_values_than_a_turn_holds_is_not_made_objects_of_in_one(
    pipeline: Pipeline, spool: Spool
) -> None:
    usual = Incoming("spans", traces_json([span_json(n) for n in range(3_000)]), None, is_json=True)
    (answer,) = pipeline.process([usual], turn_s=60)
    assert answer.accepted == 3_000
    wide = Incoming(
        "spans", traces_json([span_json(0, [{"key": "a"}] * 80_000)]), None, is_json=True
    )
    with pytest.raises(TurnOver):
        pipeline.process([wide], turn_s=60)
    assert len(landed(spool, "spans")) == 3_000
