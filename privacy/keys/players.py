"""Per-player pseudonym keys: random, rotated every 28 days, and gone on erasure.

Here: the key store's shards of player keys and the pseudonym of a player under them. Not here: the
operations' daily pseudonyms (`pseudonyms`), removing rows that hold a pseudonym (`ingestion/expiry/erasure`).

A player is filed under a keyed digest of the id, never under the id. A shard is one small sealed file
beside the other keys, replaced whole and its old bytes wiped; it is no part of a data backup. Periods
are 28 days counted from Monday 2024-01-01, alike for all players, so that four whole weeks share one
pseudonym and none outlives them. Source: RFC 7693 (keyed BLAKE2b).
"""

import hashlib
import json
import secrets
from datetime import date
from pathlib import Path

from privacy.disk.files import write_over
from privacy.disk.locks import locked
from privacy.keys.ids import new_id
from privacy.keys.key_store import KEY_BYTES, KeyStore, seal, unseal
from privacy.keys.pseudonyms import digest

PERIOD_DAYS = 28
_FIRST = date(2024, 1, 1)
_KEY_NAME = "players"
_Shard = dict[str, dict[str, str]]  # player's digest -> period -> secret, both as hex


def period_of(day: date) -> int:
    """The 28-day period a day falls in, numbered from the one of 2024-01-01."""
    return (day - _FIRST).days // PERIOD_DAYS


class PlayerPseudonyms:
    """Pseudonyms of engagement: equal within a period, unlinkable across periods and players."""

    def __init__(self, home: Path, keys: KeyStore) -> None:
        self._folder = home / "keys" / "players"
        self._key = keys.named_key(_KEY_NAME)
        self._read: dict[str, tuple[tuple[int, int], _Shard]] = {}

    def of(self, value: str, day: date) -> str:
        """`p_` and 20 hex digits; the player's key of the period is made on first use."""
        player, period = self._player(value), str(period_of(day))
        secret = self._shard(player).get(player, {}).get(period)
        return digest(value, bytes.fromhex(secret or self._create(player, period)))

    def stamp(self, day: date) -> object:
        """Changes when pseudonyms that were made before may not be used again."""
        marker = self._folder / "erased"
        return period_of(day), marker.stat().st_mtime_ns if marker.exists() else 0

    def living(self, value: str) -> list[str]:
        """The player's pseudonyms under every key that still lives; makes no key."""
        player = self._player(value)
        periods = self._shard(player).get(player, {})
        return [digest(value, bytes.fromhex(secret)) for secret in periods.values()]

    def erase(self, value: str) -> int:
        """Destroy all keys of a player; returns how many there were."""
        player = self._player(value)
        with locked(self._folder / "lock"):
            shard = {**self._shard(player)}
            gone = shard.pop(player, {})
            if gone:
                self._write(player, shard)
        write_over(self._folder / "erased", new_id(8).encode())
        return len(gone)

    def destroy_before(self, day: date) -> int:
        """Destroy the keys of all periods that ended before a day; returns how many."""
        destroyed, oldest = 0, period_of(day)
        for path in sorted(self._folder.glob("??.sealed")):
            with locked(self._folder / "lock"):
                shard = self._shard(path.stem)
                kept = {
                    player: {p: s for p, s in periods.items() if int(p) >= oldest}
                    for player, periods in shard.items()
                }
                gone = sum(map(len, shard.values())) - sum(map(len, kept.values()))
                if gone:
                    self._write(path.stem, {player: p for player, p in kept.items() if p})
            destroyed += gone
        return destroyed

    def _create(self, player: str, period: str) -> str:
        with locked(self._folder / "lock"):
            periods = {**self._shard(player).get(player, {})}
            if period not in periods:
                periods[period] = secrets.token_hex(KEY_BYTES)
                self._write(player, {**self._shard(player), player: periods})
            return periods[period]

    def _player(self, value: str) -> str:
        return hashlib.blake2b(
            value.encode(), digest_size=16, key=self._key.secret, person=b"player"
        ).hexdigest()

    def _path(self, player: str) -> Path:
        return self._folder / f"{player[:2]}.sealed"

    def _shard(self, player: str) -> _Shard:
        """The shard as it stands on disk; unsealed anew only when the file changed."""
        path = self._path(player)
        if not path.exists():
            return {}
        stat = path.stat()
        mark = (stat.st_mtime_ns, stat.st_ino)
        known = self._read.get(path.name)
        if known is None or known[0] != mark:
            plain = unseal(self._key, path.read_bytes(), self._aad(path))
            known = self._read[path.name] = (mark, json.loads(plain))
        return known[1]

    def _write(self, player: str, shard: _Shard) -> None:
        path = self._path(player)
        write_over(path, seal(self._key, json.dumps(shard).encode(), self._aad(path)))
        self._read.pop(path.name, None)

    @staticmethod
    def _aad(path: Path) -> bytes:
        return f"players/{path.name}".encode()
