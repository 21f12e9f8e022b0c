"""Keys: missing, wrong, destroyed, moved, altered."""

import base64
import stat
from datetime import date
from pathlib import Path

import pytest

from privacy.keys import KeyProblem, KeyStore, seal, unseal

DAY = date(2026, 3, 1)


def test_a_home_without_a_key_is_refused_with_the_fix(home: Path) -> None:
    with pytest.raises(KeyProblem, match="monitor up"):
        KeyStore.open(home)


def test_fresh_keys_are_private_files(home: Path, keys: KeyStore) -> None:
    keys.data_key("spool", DAY)
    for file in (home / "keys").rglob("*"):
        if file.is_file():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_home_with_data_and_a_lost_key_is_not_given_a_new_one(home: Path, keys: KeyStore) -> None:
    (home / "keys" / "kek").unlink()
    with pytest.raises(KeyProblem, match="Restore"):
        KeyStore.open(home, create=True)


def test_the_key_of_another_home_is_refused(
    home: Path, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTA_MONITOR_KEK", base64.b64encode(b"x" * 32).decode())
    with pytest.raises(KeyProblem, match="another home"):
        KeyStore.open(home)


@pytest.mark.parametrize("text", ["not base64!", base64.b64encode(b"short").decode()])
def test_a_malformed_key_is_named(home: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("TTA_MONITOR_KEK", text)
    with pytest.raises(KeyProblem, match="TTA_MONITOR_KEK"):
        KeyStore.open(home)


def test_a_key_file_that_others_can_read_is_refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "kek"
    file.write_text(base64.b64encode(b"k" * 32).decode())
    file.chmod(0o644)
    monkeypatch.setenv("TTA_KEK_FILE", str(file))
    with pytest.raises(KeyProblem, match="chmod 600"):
        KeyStore.open(home)
    file.chmod(0o600)
    assert KeyStore.open(home).data_key("spool", DAY)


def test_a_missing_key_file_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTA_KEK_FILE", "/nowhere/kek")
    with pytest.raises(KeyProblem, match="/nowhere/kek"):
        KeyStore.open(home)


def test_two_stores_agree_on_a_day_s_key(home: Path, keys: KeyStore) -> None:
    other = KeyStore.open(home)
    assert keys.data_key("spool", DAY).secret == other.data_key("spool", DAY).secret
    assert keys.days("spool") == [DAY]


def test_a_destroyed_key_is_gone_for_good(home: Path, keys: KeyStore) -> None:
    keys.data_key("spool", DAY)
    assert keys.destroy("spool", DAY)
    assert not keys.destroy("spool", DAY)
    with pytest.raises(KeyProblem, match="expired"):
        KeyStore.open(home).existing_key("spool/2026-03-01")


def test_sealed_bytes_open_only_at_their_place_and_unaltered(keys: KeyStore) -> None:
    key = keys.data_key("spool", DAY)
    sealed = seal(key, b"words", b"here")
    assert unseal(key, sealed, b"here") == b"words"
    for wrong in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:5]):
        with pytest.raises((KeyProblem, ValueError)):
            unseal(key, wrong, b"here")
    with pytest.raises(KeyProblem, match="moved"):
        unseal(key, sealed, b"there")
    assert "words" not in repr(key) and key.secret.hex() not in repr(key)
