"""Keyed, rotating pseudonyms.

Here: one HMAC key per purpose and day, and the pseudonym of a value under it. Not here: which fields are
pseudonymised (`fields`), the 28-day keys of single players (`players`). A pseudonym with a live key is
still personal data; it becomes unlinkable when its day's key is destroyed. Source: RFC 7693 (keyed
BLAKE2b).
"""

import hashlib
from datetime import date
from typing import Protocol

from privacy.keys.key_store import KeyStore

PREFIX = "p_"
_DIGEST_BYTES = 10


class PseudonymSource(Protocol):
    """What the gate needs: a pseudonym, and a sign that those made before are out of date."""

    def of(self, value: str, day: date) -> str:
        """The pseudonym of a value on a day of arrival."""
        ...

    def stamp(self, day: date) -> object:
        """Differs from an earlier one when remembered pseudonyms must be forgotten."""
        ...


class Pseudonyms:
    """Pseudonyms of one purpose; unlinkable between days because each day has its own key."""

    def __init__(self, keys: KeyStore, purpose: str) -> None:
        self._keys = keys
        self.dataset = f"pseudonym.{purpose}"

    def of(self, value: str, day: date) -> str:
        """`p_` and 20 hex digits: keyed BLAKE2b (RFC 7693) of the value under the day's key."""
        secret = self._keys.data_key(self.dataset, day).secret
        return digest(value, secret)

    def stamp(self, day: date) -> object:
        """The day: tomorrow has another key."""
        return day


def digest(value: str, secret: bytes) -> str:
    """`p_` and 20 hex digits: keyed BLAKE2b (RFC 7693) of a value."""
    keyed = hashlib.blake2b(value.encode(), digest_size=_DIGEST_BYTES, key=secret)
    return PREFIX + keyed.hexdigest()
