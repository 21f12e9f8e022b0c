"""Keys: missing, wrong, destroyed, moved, altered."""

import base64
import shutil
import stat
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
import time_machine

from privacy.disk import files
from privacy.keys import kek, rotation
from privacy.keys.key_store import KeyDestroyed, KeyProblem, KeyStore, seal, unseal
from privacy.keys.rotation import rotate
from privacy.keys.state import Sealer

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


def test_a_lost_keys_folder_is_not_replaced_by_an_empty_one(
    home: Path, keys: KeyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kek = tmp_path / "kek"
    (home / "keys" / "kek").rename(kek)
    monkeypatch.setenv("TTA_KEK_FILE", str(kek))
    (home / "lake").mkdir()
    shutil.rmtree(home / "keys")
    with pytest.raises(KeyProblem, match="Restore the keys/ folder"):
        KeyStore.open(home, create=True)


def test_a_key_half_destroyed_is_destroyed(home: Path, keys: KeyStore) -> None:
    keys.data_key("spool", DAY)
    file = home / "keys" / "data" / "spool" / f"{DAY}.key"
    file.write_bytes(b"\0" * file.stat().st_size)
    with pytest.raises(KeyDestroyed):
        KeyStore.open(home).existing_key(f"spool/{DAY}")
    rotate(home)


class _Vault:
    """A keyring of this test alone."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, entry: str) -> str | None:
        return self.entries.get((service, entry))

    def set_password(self, service: str, entry: str, text: str) -> None:
        self.entries[service, entry] = text


def test_the_os_keyring_holds_the_key_when_it_is_chosen(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keyring

    vault = _Vault()
    monkeypatch.setattr(keyring, "get_password", vault.get_password)
    monkeypatch.setattr(keyring, "set_password", vault.set_password)
    monkeypatch.setenv("TTA_KEK_KEYRING", "home-1")
    secret = KeyStore.open(home, create=True).data_key("spool", DAY).secret
    assert not (home / "keys" / "kek").exists()
    before = dict(vault.entries)
    rotate(home)
    assert vault.entries != before
    assert KeyStore.open(home).data_key("spool", DAY).secret == secret


def test_a_host_without_a_keyring_says_what_to_use_instead(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keyring
    from keyring.backends.fail import Keyring

    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())
    monkeypatch.setenv("TTA_KEK_KEYRING", "home-1")
    try:
        with pytest.raises(KeyProblem, match=r"NoKeyringError.*TTA_KEK_FILE"):
            KeyStore.open(home, create=True)
    finally:
        keyring.set_keyring(before)


def test_rotation_leaves_the_data_keys_and_no_use_for_the_old_one(
    home: Path, keys: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {day: keys.data_key("spool", DAY + timedelta(day)).secret for day in range(5)}
    old = (home / "keys" / "kek").read_text()
    done = rotate(home)
    assert (done.rewrapped_keys, done.was_interrupted) == (5, False)
    fresh = KeyStore.open(home)
    assert {d: fresh.data_key("spool", DAY + timedelta(d)).secret for d in range(5)} == secrets
    monkeypatch.setenv("TTA_MONITOR_KEK", old.strip())
    with pytest.raises(KeyProblem, match="another home"):
        KeyStore.open(home)


def test_a_process_that_holds_the_old_key_goes_on(home: Path, keys: KeyStore) -> None:
    keys.data_key("spool", DAY)
    other = KeyStore.open(home)
    rotate(home)
    made = keys.data_key("spool", DAY + timedelta(1))  # a new day under the new key
    assert other.data_key("spool", DAY) == keys.data_key("spool", DAY)  # never read before
    assert KeyStore.open(home).data_key("spool", DAY + timedelta(1)) == made


def _write_steps(home: Path) -> int:
    with (
        patch.object(kek, "write_over", wraps=kek.write_over) as source,
        patch.object(rotation, "write_over", wraps=rotation.write_over) as wrapped,
    ):
        rotate(home)
    return source.call_count + wrapped.call_count


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_rotation_killed_at_any_write_is_finished_by_the_next_one(
    home: Path, keys: KeyStore, when: str
) -> None:
    secrets = [keys.data_key("spool", DAY + timedelta(day)).secret for day in range(3)]
    steps = _write_steps(home)
    assert steps == 6  # announce, three keys, check, forget
    real = files.write_over
    for step in range(steps):
        left = iter(range(step, -1, -1))

        def dying(path: Path, content: bytes, left: Iterator[int] = left) -> None:
            is_last = next(left) == 0
            if not is_last or when == "after":
                real(path, content)
            if is_last:
                raise SystemExit("killed")

        with (
            patch.object(kek, "write_over", dying),
            patch.object(rotation, "write_over", dying),
            pytest.raises(SystemExit),
        ):
            rotate(home)
        between = KeyStore.open(home)
        assert [between.data_key("spool", DAY + timedelta(d)).secret for d in range(3)] == secrets
        rotate(home)
        assert len((home / "keys" / "kek").read_text().split()) == 1
        after = KeyStore.open(home)
        assert [after.data_key("spool", DAY + timedelta(d)).secret for d in range(3)] == secrets


def test_a_key_from_the_environment_is_rotated_with_both_given(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
    monkeypatch.setenv("TTA_MONITOR_KEK", old)
    secret = KeyStore.open(home, create=True).data_key("spool", DAY).secret
    with pytest.raises(KeyProblem, match="NEW,OLD"):
        rotate(home)
    monkeypatch.setenv("TTA_MONITOR_KEK", f"{new},{old}")
    assert rotate(home).is_old_key_yours_to_remove
    monkeypatch.setenv("TTA_MONITOR_KEK", new)
    assert KeyStore.open(home).data_key("spool", DAY).secret == secret


def test_a_key_destroyed_during_a_rotation_does_not_come_back(home: Path, keys: KeyStore) -> None:
    keys.data_key("spool", DAY)
    listed = rotation._wrapped_files(home / "keys")
    keys.destroy("spool", DAY)
    with patch.object(rotation, "_wrapped_files", side_effect=[listed, listed[1:]]):
        rotate(home)
    with pytest.raises(KeyDestroyed):
        KeyStore.open(home).existing_key(f"spool/{DAY}")


def test_a_state_record_opens_with_the_key_of_its_day_only(home: Path, keys: KeyStore) -> None:
    sealer = Sealer(keys, "alerts")
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False):
        old = sealer.seal("a", {"note": "x"})
    with time_machine.travel("2026-03-02T12:00:00Z", tick=False):
        new = sealer.seal("a", {"note": "y"})
    assert (sealer.open("a", old), sealer.open("a", new)) == ({"note": "x"}, {"note": "y"})
    with pytest.raises(KeyProblem):
        sealer.open("b", new)
    keys.destroy(sealer.dataset, DAY)
    with pytest.raises(KeyDestroyed):
        sealer.open("a", old)
    assert sealer.open("a", new) == {"note": "y"}
    with pytest.raises(KeyProblem, match="altered"):
        sealer.open("a", b"x" + new[1:])


@pytest.mark.parametrize(
    "record",
    [{"text": "\ud800 half a pair"}, {"value": float("inf")}, {"a": [{"b": None}], "ö": 1}],
)
def test_a_state_record_comes_back_as_it_was(keys: KeyStore, record: dict[str, object]) -> None:
    sealer = Sealer(keys, "alerts")
    assert sealer.open("a", sealer.seal("a", record)) == record


def test_processes_that_begin_a_home_at_once_share_one_key(home) -> None:
    with ProcessPoolExecutor(4) as pool:
        secrets = set(pool.map(_begin, [home] * 12))
    assert len(secrets) == 1


def _begin(home: Path) -> bytes:
    found = KeyStore.open(home, create=True).data_key("spool", DAY).secret
    (home / "spool.db").touch()
    return found
