"""Keyed, rotating pseudonyms.

Here: one HMAC key per purpose and day, and the pseudonym of a value under it. Not here: which
fields are pseudonymised (`fields`). A pseudonym with a live key is still personal data; it
becomes unlinkable when its day's key is destroyed.
"""

import hashlib
from datetime import date

from privacy.keys import KeyStore

PREFIX = "p_"
_DIGEST_BYTES = 10


class Pseudonyms:
    """Pseudonyms of one purpose; unlinkable between days because each day has its own key."""

    def __init__(self, keys: KeyStore, purpose: str) -> None:
        self._keys = keys
        self._dataset = f"pseudonym.{purpose}"

    def of(self, value: str, day: date) -> str:
        """`p_` and 20 hex digits: keyed BLAKE2b (RFC 7693) of the value under the day's key."""
        secret = self._keys.data_key(self._dataset, day).secret
        digest = hashlib.blake2b(value.encode(), digest_size=_DIGEST_BYTES, key=secret)
        return PREFIX + digest.hexdigest()
