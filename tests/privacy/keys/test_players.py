"""Player pseudonyms: equal for 28 days, unlinkable afterwards, gone on erasure."""

import random
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.gate.allow_list import Treatment
from privacy.gate.remembered import Treatments
from privacy.keys import players as players_module
from privacy.keys.key_store import KeyProblem, KeyStore
from privacy.keys.players import PERIOD_DAYS, PlayerPseudonyms, period_of
from privacy.keys.rotation import rotate

DAY = date(2026, 11, 25)
LATER = DAY + timedelta(days=PERIOD_DAYS)


@pytest.fixture
def players(home: Path, keys: KeyStore) -> PlayerPseudonyms:
    return PlayerPseudonyms(home, keys)


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_a_period_is_four_whole_weeks(day: date) -> None:
    monday = day - timedelta(days=day.weekday())
    assert {period_of(monday + timedelta(days=n)) for n in range(7)} == {period_of(day)}
    assert period_of(day + timedelta(days=PERIOD_DAYS)) == period_of(day) + 1


def test_a_player_keeps_one_pseudonym_in_a_period_and_in_every_process(
    home: Path, players: PlayerPseudonyms
) -> None:
    first = players.of("player_1", DAY)
    assert PlayerPseudonyms(home, KeyStore.open(home)).of("player_1", DAY) == first
    rotate(home)
    assert PlayerPseudonyms(home, KeyStore.open(home)).of("player_1", DAY) == first


def test_a_join_across_a_rotation_finds_nobody(players: PlayerPseudonyms) -> None:
    ids = [f"player_{n}" for n in range(300)]
    before = [players.of(i, DAY) for i in ids]
    after = [players.of(i, LATER) for i in ids]
    assert len({*before, *after}) == 600
    # Matching by any order of the pseudonyms is a guess: about one of 300 by chance.
    hits = sum(
        ids[before.index(a)] == ids[after.index(b)]
        for a, b in zip(sorted(before), sorted(after), strict=True)
    )
    shuffled = random.Random(1).sample(ids, len(ids))
    chance = sum(a == b for a, b in zip(ids, shuffled, strict=True))
    assert hits <= chance + 6


def test_a_dictionary_of_all_ids_is_useless_without_the_player_s_key(
    players: PlayerPseudonyms, tmp_path: Path
) -> None:
    ids = [f"player_{n}" for n in range(200)]
    real = {players.of(i, DAY) for i in ids}
    other = tmp_path / "attacker"
    other.mkdir()
    guess = PlayerPseudonyms(other, KeyStore.open(other, create=True))
    assert real & {guess.of(i, DAY) for i in ids} == set()


def test_erasure_is_final_even_for_the_key_holder(home: Path, players: PlayerPseudonyms) -> None:
    mine, other = players.of("player_1", DAY), players.of("player_2", DAY)
    running = PlayerPseudonyms(home, KeyStore.open(home))
    assert running.of("player_1", DAY) == mine
    stamp = running.stamp(DAY)
    assert players.living("player_1") == [mine]
    assert players.erase("player_1") == 1
    assert players.erase("player_1") == 0
    assert players.living("player_1") == []
    assert running.stamp(DAY) != stamp
    assert running.of("player_1", DAY) not in {mine, other}
    assert running.of("player_2", DAY) == other


def test_ended_periods_are_destroyed(players: PlayerPseudonyms) -> None:
    old, new = players.of("player_1", DAY), players.of("player_1", LATER)
    assert players.destroy_before(LATER) == 1
    assert players.living("player_1") == [new]
    assert players.of("player_1", DAY) != old


def test_no_id_and_no_key_stands_in_the_files(home: Path, players: PlayerPseudonyms) -> None:
    players.of("player_1", DAY)
    content = b"".join(f.read_bytes() for f in (home / "keys").rglob("*") if f.is_file())
    assert b"player_1" not in content
    (file,) = (home / "keys" / "players").glob("*.sealed")
    other = file.with_name("zz.sealed")
    file.rename(other)
    with pytest.raises(KeyProblem, match="moved"):
        players._shard("zz")


def test_a_crash_while_writing_leaves_the_shard_whole(
    home: Path, players: PlayerPseudonyms
) -> None:
    first = players.of("player_1", DAY)
    with (
        patch.object(players_module, "write_over", side_effect=SystemExit("killed")),
        pytest.raises(SystemExit),
    ):
        players.erase("player_1")
    assert PlayerPseudonyms(home, KeyStore.open(home)).of("player_1", DAY) == first


def test_the_gate_s_treatment_forgets_an_erased_player_at_once(
    home: Path, players: PlayerPseudonyms
) -> None:
    treatments = Treatments(PlayerPseudonyms(home, KeyStore.open(home)))
    treatments.begin(DAY)
    treat = treatments.of(Treatment.PSEUDONYMISE)
    first = treat("player_1")
    treatments.begin(DAY)
    assert treat("player_1") == first == players.of("player_1", DAY)
    players.erase("player_1")
    treatments.begin(DAY)
    assert treat("player_1") != first
