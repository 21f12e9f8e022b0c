"""Erasing a person: their rows go everywhere, others' stay, and no id is written down."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from dagster_project.marts.warehouse import publish, warehouse_key
from dagster_project.retention.erasure import erase
from ingestion.expiry.erasure import living_pseudonyms
from ingestion.lake import drain as lake
from ingestion.lake.catalog import Catalog
from ingestion.lake.duck import attach, connect, open_published
from ingestion.receivers.committing.pipeline import Incoming, Pipeline
from ingestion.settings import Settings
from ingestion.spool import Spool
from live_tail.window.follow import Follower
from live_tail.window.window import Window
from privacy.keys.key_store import KeyStore, utc_today
from privacy.keys.players import PlayerPseudonyms
from privacy.keys.pseudonyms import Pseudonyms
from privacy.retention import receipts
from tests.ingestion.lake.test_lake import rows
from tests.ingestion.receivers.test_receivers import NOW_NS, span_request

NOW = datetime.now(UTC).replace(tzinfo=None)
SUBJECT, OTHER = "player-ada-4711", "player-bob-0815"


def send(pipeline: Pipeline, number: int, person: str, *, is_event: bool = False) -> None:
    at_ns = NOW_NS - number * 1_000_000
    request = span_request(
        span=number.to_bytes(8, "big"), start_time_unix_nano=at_ns, end_time_unix_nano=at_ns + 1_000
    )
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.attributes.add(key="http.request.method").value.string_value = "GET"
    target = span.events.add(name="x", time_unix_nano=at_ns) if is_event else span
    target.attributes.add(key="user.id").value.string_value = person
    pipeline.process([Incoming("spans", request.SerializeToString())])


@pytest.fixture
def two_people(settings: Settings, keys: KeyStore, pipeline: Pipeline) -> Settings:
    """Three spans of each, one by an event's attribute; drained, and still in the spool."""
    for number, person in enumerate((SUBJECT, OTHER) * 3, start=1):
        send(pipeline, number, person, is_event=number > 4)
    lake.drain(settings, keys)
    catalog = Catalog(settings.lake_path)
    catalog.clean(catalog.dirty_hours())
    return settings


def names(settings: Settings, keys: KeyStore, person: str) -> set[str]:
    return set(living_pseudonyms(settings, keys, person))


def mentions(settings: Settings, keys: KeyStore, person: str) -> int:
    """Rows of lake and spool that hold a pseudonym of a person."""
    wanted = [Pseudonyms(keys, "operations").of(person, utc_today())]
    found = [str(r) for r in rows(settings, keys, "spans")]
    for batch in Spool(settings.spool_path, keys).read(0, limit=10_000):
        found += [str(r) for r in batch.table().to_pylist()]
    return sum(any(name in text for name in wanted) for text in found)


def test_erasure_removes_every_row_of_the_person_and_no_other(
    two_people: Settings, keys: KeyStore
) -> None:
    assert (mentions(two_people, keys, SUBJECT), mentions(two_people, keys, OTHER)) == (6, 6)
    receipt = erase(two_people, keys, SUBJECT, NOW)
    assert (receipt.rows, receipt.proof_rows) == (6, 0)
    assert (mentions(two_people, keys, SUBJECT), mentions(two_people, keys, OTHER)) == (0, 6)
    dirty = {d.signal for d in Catalog(two_people.lake_path).dirty_hours()}
    assert dirty == {"spans", "ledger"}
    assert erase(two_people, keys, SUBJECT, NOW + timedelta(1)).rows == 0


def test_what_was_acknowledged_still_adds_up(two_people: Settings, keys: KeyStore) -> None:
    erase(two_people, keys, SUBJECT, NOW)
    ledger = [(r[3], r[4], r[5]) for r in rows(two_people, keys, "ledger")]
    assert ("duplicate", "erased", 3) in ledger
    accepted = sum(n for outcome, _, n in ledger if outcome == "accepted")
    other = sum(n for outcome, _, n in ledger if outcome == "duplicate")
    assert accepted == len(rows(two_people, keys, "spans")) + other


def test_what_waits_in_the_spool_goes_too(
    settings: Settings, keys: KeyStore, pipeline: Pipeline
) -> None:
    send(pipeline, 1, SUBJECT)
    receipt = erase(settings, keys, SUBJECT, NOW)
    assert receipt.proof_rows == 0
    assert mentions(settings, keys, SUBJECT) == 0
    lake.drain(settings, keys)
    assert rows(settings, keys, "spans") == []


def test_the_live_window_is_rebuilt_without_the_person(
    settings: Settings, keys: KeyStore, pipeline: Pipeline, spool: Spool
) -> None:
    window = Window(
        minutes=60, max_errors=10, clock=lambda: datetime.fromtimestamp(NOW_NS / 1e9, UTC)
    )
    follower = Follower(spool, window)

    def requests() -> int:
        while follower.step():
            pass
        sql = "SELECT coalesce(sum(request_count), 0) FROM hot_requests"
        return int(window.cursor().execute(sql).fetchall()[0][0])

    send(pipeline, 1, SUBJECT)
    send(pipeline, 2, OTHER)
    assert requests() == 2
    erase(settings, keys, SUBJECT, NOW)
    assert requests() == 1


def test_marts_and_published_copies_lose_the_rows(two_people: Settings, keys: KeyStore) -> None:
    (mine,), (theirs,) = (names(two_people, keys, p) for p in (SUBJECT, OTHER))
    con = connect()
    attach(con, two_people.warehouse_path, "w", warehouse_key(two_people, keys))
    con.execute("CREATE SCHEMA w.marts")
    con.register("sessions", pa.table({"session": [mine, theirs, None]}))
    con.execute("CREATE TABLE w.marts.fct_websocket_connections AS FROM sessions")
    con.execute("CREATE TABLE w.marts.fct_requests_minutely AS SELECT 5 AS request_count")
    con.close()
    publish(two_people, keys, "operations")
    assert erase(two_people, keys, SUBJECT, NOW).rows == 7
    published = open_published(two_people, "operations")
    assert published.execute("SELECT session FROM fct_websocket_connections").fetchall() == [
        (theirs,),
        (None,),
    ]
    assert published.execute("SELECT request_count FROM fct_requests_minutely").fetchall() == [(5,)]


def test_a_crash_in_the_middle_is_finished_by_the_next_try(
    two_people: Settings, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    players = PlayerPseudonyms(two_people.home, keys)
    players.of(SUBJECT, utc_today())
    with monkeypatch.context() as patched:
        patched.setattr(Spool, "rewrite", lambda *_: (_ for _ in ()).throw(SystemExit("killed")))
        with pytest.raises(SystemExit):
            erase(two_people, keys, SUBJECT, NOW)
    assert len(players.living(SUBJECT)) == 1  # the key goes last
    assert erase(two_people, keys, SUBJECT, NOW).proof_rows == 0
    assert mentions(two_people, keys, SUBJECT) == 0
    assert players.living(SUBJECT) == []


def test_the_id_is_written_nowhere(two_people: Settings, keys: KeyStore) -> None:
    erase(two_people, keys, SUBJECT, NOW)
    content = b"".join(f.read_bytes() for f in two_people.home.rglob("*") if f.is_file())
    assert SUBJECT.encode() not in content
    assert SUBJECT not in repr(receipts.read(two_people.home, keys))


def test_an_unknown_person_makes_no_key_and_changes_nothing(
    two_people: Settings, keys: KeyStore
) -> None:
    before = keys.ids()
    assert erase(two_people, keys, "nobody-1", NOW).rows == 0
    assert {k for k in keys.ids() if "pseudonym" in k} == {k for k in before if "pseudonym" in k}
    assert Catalog(two_people.lake_path).dirty_hours() == []
