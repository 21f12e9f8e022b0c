"""Which unknown names of attributes are shown in the counts, and which are hidden."""

import re
from pathlib import Path

import pytest
from opentelemetry import semconv

from ingestion.receivers.committing.pipeline import Pipeline
from ingestion.spool import Spool
from privacy.gate.allow_list import LEVELS, Treatment, load_allow_list
from privacy.gate.attribute_names import ShownNames, is_plain_name, shape
from privacy.keys.key_store import KeyStore
from tests.privacy.gate.test_gate_counts import send, spooled, with_attributes


def test_names_of_software_are_shown_and_names_of_people_are_not(keys: KeyStore) -> None:
    names = ShownNames(keys.named_key("attribute_names").secret)
    for plain in ("player.mood_score", "tta.session.theme", "http.client.retries", "ws.room4"):
        assert names.of(plain) == plain
    for personal in (
        "jane.doe", "answer_of_amelie", "grace", "mail.zeno@example.org", "x" * 200,
        "07700900461", "ünïcode.key", "", "tta.emily.count",
    ):  # fmt: skip
        text = names.of(personal)
        assert text.startswith("~") and text[1:13].isalpha()
        assert not any(w in text for w in ("jane", "amelie", "grace", "zeno", "emily", "0770"))
    assert shape("answer.from_Jane42") == "a.a_Aa#"
    assert shape("9.9.9.9") == "#.#.#.#"  # no address, not even an invented one


def test_every_name_of_the_allow_list_can_be_shown() -> None:
    assert [n for _, n in load_allow_list().exact if not is_plain_name(n)] == []


def test_below_a_prefix_a_name_with_words_of_people_is_not_stored(
    pipeline: Pipeline, spool: Spool
) -> None:
    send(pipeline, with_attributes("api", gen_ai__request__jane_doe=1, gen_ai__request__top_k=1))
    (batch,) = spool.read(0, signals=["spans"])
    kept = dict(batch.table().column("attributes")[0].as_py())
    assert kept == {"gen_ai.request.top_k": "1"}
    counted = spooled(spool)
    assert counted["api", "spans", "gen_ai.request.*", "keep"] == 1
    (unknown,) = [f for _, _, f, t in counted if t == "unknown"]
    assert not any("jane" in str(b.table().to_pylist()) for b in spool.read(0))
    assert unknown.endswith(" a_a.a.a_a")


def test_what_comes_twice_under_an_unknown_name_is_unknown_both_times(
    pipeline: Pipeline, spool: Spool
) -> None:
    twice = with_attributes("api", player__mood_score=1)
    twice.resource_spans[0].scope_spans[0].spans[0].attributes.add(key="player.mood_score")
    send(pipeline, twice)
    assert spooled(spool)["api", "spans", "player.mood_score", "unknown"] == 2


def test_no_attribute_of_the_semantic_conventions_is_hidden_below_a_listed_prefix() -> None:
    folder = Path(semconv.__file__).parent
    declared = re.compile(r': Final = "([a-z_0-9]+(?:\.[a-z_0-9]+)+)"')
    names = {n for f in folder.rglob("attributes/*.py") for n in declared.findall(f.read_text())}
    allowed = load_allow_list()
    hidden = [
        name
        for name in names
        for level in LEVELS
        if allowed.look_up(level, name)[1] not in {None, name}
        and allowed.decide(level, name).treatment is not Treatment.DROP
        and not is_plain_name(name)
    ]
    assert len(names) > 500 and not hidden


@pytest.mark.parametrize(
    "name",
    ["da:d9:d2:e7:d5:4c", "a0-fa-c6-c1-6c-2c", "fe80:cafe:beef:1:2", "fa.ce.fe.ed.be.ef"],
)
def test_an_address_as_a_name_is_hidden_though_its_pairs_are_short_words(name: str) -> None:
    assert not is_plain_name(name)
    assert name not in ShownNames(b"k").of(name)
